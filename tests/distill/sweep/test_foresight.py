import pytest

from kd_core.distill.sweep.foresight import Option, by_rule, choose, probe_steps, stack_seconds, survey

SEQUENTIAL, FUSED, LANES = Option("sequential"), Option("fused"), Option("fused", lanes=2)
PROCESSES = Option("processes")


def test_the_fastest_is_chosen_part_by_part():
    parts = [{SEQUENTIAL: 60.0, FUSED: 9.0, LANES: 7.0}, {SEQUENTIAL: 40.0, PROCESSES: 22.0}]
    assert choose(parts) == [LANES, PROCESSES]


@pytest.mark.parametrize(("sequential", "fused"), [(1.0, 1.01), (30.0, 55.0)])
def test_one_after_another_wins_where_stacking_loses(sequential, fused):
    assert choose([{SEQUENTIAL: sequential, FUSED: fused}]) == [SEQUENTIAL]


class Machine:
    """A machine whose probes take a given time and answer from a script, the last answer again and again."""

    def __init__(self, cost, **answers):
        self.now, self.cost, self.asked = 0.0, cost, []
        self.answers = {Option(mode): list(values) for mode, values in answers.items()}

    def measure(self, option, steps):
        self.asked.append(option.mode)
        self.now += self.cost
        left = self.answers[option]
        return left.pop(0) if len(left) > 1 else left[0]

    def survey(self):
        return survey(list(self.answers), self.measure, 5, clock=lambda: self.now)


def test_the_best_of_three_rounds_counts():
    machine = Machine(0.01, sequential=[20.0, 14.0, 16.0], fused=[15.0, 15.0, 15.0])
    assert machine.survey() == {SEQUENTIAL: 14.0, FUSED: 15.0}
    assert machine.asked == ["sequential", "fused"] * 3


def test_what_is_far_behind_is_not_measured_again():
    machine = Machine(0.01, sequential=[80.0], fused=[15.0])
    machine.survey()
    assert machine.asked == ["sequential", "fused", "fused", "fused"]


def test_a_probe_ends_before_it_costs_more_than_its_share():
    machine = Machine(1.0, sequential=[100.0], fused=[100.0])
    machine.survey()
    assert machine.asked == ["sequential", "fused"]
    machine = Machine(0.1, sequential=[20.0], fused=[20.0])
    machine.survey()
    assert machine.now <= 0.02 * 20 + 1e-9


def test_short_sweeps_are_not_probed():
    assert [probe_steps(n) for n in (100, 399, 400, 2000, 100_000)] == [0, 0, 3, 8, 12]


@pytest.mark.parametrize(
    ("options", "taken"), [([SEQUENTIAL, FUSED], FUSED), ([SEQUENTIAL], SEQUENTIAL), ([FUSED], FUSED)]
)
def test_a_rule_decides_where_nothing_is_measured(options, taken):
    assert by_rule(options) == taken


def test_a_stack_takes_longer_with_more_steps_and_more_arithmetic():
    assert stack_seconds(6e10, 10) == pytest.approx(10.002)
    assert stack_seconds(0, 1000) == pytest.approx(0.2)
