import pytest

from kd_core.distill.foresight import (
    LARGE_WORK,
    SMALL_WORK,
    Option,
    by_rule,
    choose,
    lane_counts,
    probe_steps,
    stack_seconds,
    survey,
)

SEQUENTIAL, FUSED, LANES = Option("sequential"), Option("fused"), Option("fused", lanes=2)
PROCESSES = Option("processes")


def low(option):
    return Option(option.mode, option.lanes, option.stacked, "bfloat16")


def test_the_fastest_is_chosen_part_by_part():
    parts = [{SEQUENTIAL: 60.0, FUSED: 9.0, LANES: 7.0}, {SEQUENTIAL: 40.0, PROCESSES: 22.0}]
    assert choose(parts) == [LANES, PROCESSES]


@pytest.mark.parametrize(("sequential", "fused"), [(1.0, 1.01), (30.0, 55.0)])
def test_one_after_another_wins_where_stacking_loses(sequential, fused):
    assert choose([{SEQUENTIAL: sequential, FUSED: fused}]) == [SEQUENTIAL]


@pytest.mark.parametrize(
    ("precision", "exact", "rounded", "taken"),
    [
        ("auto", 12.0, 10.0, "bfloat16"), ("auto", 11.9, 10.0, "float32"), ("auto", 5.0, 10.0, "float32"),
        ("bfloat16", 5.0, 10.0, "bfloat16"), ("float32", 12.0, 1.0, "float32"),
    ],
)  # fmt: skip
def test_bfloat16_has_to_be_worth_it(precision, exact, rounded, taken):
    assert choose([{FUSED: exact, low(FUSED): rounded}], precision)[0].precision == taken


def test_all_parts_share_one_precision():
    gains, loses = {FUSED: 40.0, low(FUSED): 20.0}, {SEQUENTIAL: 10.0, low(SEQUENTIAL): 11.0}
    assert [o.precision for o in choose([gains, loses])] == ["bfloat16", "bfloat16"]
    assert [o.precision for o in choose([gains, {SEQUENTIAL: 10.0}])] == ["float32", "float32"]
    assert [o.precision for o in choose([gains, {SEQUENTIAL: 90.0, low(SEQUENTIAL): 90.0}])] == ["float32", "float32"]


def test_only_what_was_measured_can_be_chosen():
    assert choose([{low(FUSED): 3.0}], "auto") == [low(FUSED)]


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


@pytest.mark.parametrize(
    ("work", "steps", "most", "counts"),
    [
        (SMALL_WORK / 2, 4000, 2, [1]), (LARGE_WORK * 2, 4000, 2, [2]), (1e8, 4000, 4, [1, 4]), (1e8, 1000, 2, [1]),
        (3e8, 1000, 2, [2]), (1e12, 4000, 1, [1]),
    ],
)  # fmt: skip
def test_lanes_are_tried_where_they_may_pay(work, steps, most, counts):
    assert lane_counts(work, steps, most) == counts
