"""Candidates that take turns: who comes when, what counts, and what is told of the times."""

from __future__ import annotations

import contextlib
import itertools

import numpy as np
import pytest

from kd_core.machine import rounds
from kd_core.machine.rounds import Times, Turn, in_rounds, interval, order


class Clock:
    """A clock that calls move on. Units: nanoseconds."""

    def __init__(self):
        self.now, self.called = 0, []

    def turn(self, name, milliseconds, batches=("a", "b"), within=contextlib.nullcontext):
        def predict(batch):
            self.called.append((name, batch))
            self.now += int(milliseconds * 1e6)

        return Turn(predict, batches, within)

    def __call__(self):
        return self.now


def times(clock, turns, number=4, seconds=0.01, **more):
    return in_rounds(turns, number, seconds, clock=clock, **more)


def test_everybody_begins_a_round_equally_often_and_nobody_always_follows_the_same_one():
    names = ["a", "b", "c"]
    seen = [order(names, number) for number in range(6)]
    assert all(sorted(one) == names for one in seen)
    assert sorted(one[0] for one in seen) == ["a", "a", "b", "b", "c", "c"]
    before = {name: {one[one.index(name) - 1] for one in seen if one.index(name)} for name in names}
    assert all(len(some) == 2 for some in before.values())


def test_turns_follow_the_order_of_their_round_and_the_first_round_is_not_counted():
    clock = Clock()
    names = ("a", "b", "c")
    found = times(clock, {name: clock.turn(name, 5.0) for name in names}, number=3)
    turns = [name for name, _ in itertools.groupby(clock.called, key=lambda one: one[0])]
    wanted = list(itertools.chain.from_iterable(order(names, number) for number in range(4)))
    assert turns == [name for name, _ in itertools.groupby(wanted)]
    assert {name: len(one.rounds) for name, one in found.items()} == dict.fromkeys(names, 3)


def test_a_turn_warms_up_first_and_takes_its_batches_in_turns():
    clock, cold = Clock(), []

    def predict(batch):
        clock.called.append(batch)
        clock.now += 1_000_000 if cold else 9_000_000
        cold.append(1)

    @contextlib.contextmanager
    def within():
        cold.clear()  # whoever came before has taken the caches
        yield

    found = times(clock, {"a": Turn(predict, ("x", "y"), within)}, number=3, seconds=0.0035)
    assert [call for one in found["a"].rounds for call in one] == [1.0] * 12
    assert clock.called[:6] == ["x", "x", "y", "x", "y", "x"]  # one to warm up, four that count, the next turn's first


def test_slow_calls_are_few_and_quick_ones_bounded():
    clock = Clock()
    slow = times(clock, {"slow": clock.turn("slow", 1000.0)}, number=3, seconds=0.01)["slow"]
    assert {len(one) for one in slow.rounds} == {1}
    quick = times(clock, {"quick": clock.turn("quick", 0.000001)}, number=3, seconds=10)["quick"]
    assert {len(one) for one in quick.rounds} == {rounds.MOST_CALLS}
    middle = times(clock, {"middle": clock.turn("middle", 6.0)}, number=3, seconds=0.01)["middle"]
    assert {len(one) for one in middle.rounds} == {rounds.LEAST_CALLS}


def test_rounds_end_with_the_time_but_not_before_there_are_three():
    clock = Clock()
    turns = {"a": clock.turn("a", 100.0)}
    assert len(times(clock, turns, number=50, seconds=0.1, until=0.001)["a"].rounds) == rounds.LEAST_ROUNDS
    clock = Clock()
    some = times(clock, {"a": clock.turn("a", 100.0)}, number=50, seconds=0.1, until=3.0)["a"].rounds
    assert rounds.LEAST_ROUNDS < len(some) < 50 and clock.now / 1e9 <= 3.0


def test_a_round_that_was_not_finished_does_not_count():
    clock, asked = Clock(), []

    def stop():
        asked.append(1)
        return len(asked) > 5  # in the third round, after its first turn

    found = times(clock, {name: clock.turn(name, 5.0) for name in "ab"}, should_stop=stop)
    assert {name: len(one.rounds) for name, one in found.items()} == {"a": 1, "b": 1}


def test_progress_is_told_after_every_round_and_own_threads_are_held_around_a_turn():
    clock, told, held = Clock(), [], []

    @contextlib.contextmanager
    def within():
        held.append(len(clock.called))
        yield
        held.append(len(clock.called))

    times(clock, {"a": clock.turn("a", 5.0, within=within)}, number=3, on_round=told.append)
    assert told == [0, 1, 2, 3]
    assert len(held) == 8 and held[0] == 0 and held[-1] == len(clock.called)


def test_without_candidates_there_is_nothing():
    assert in_rounds({}, 5, 0.01) == {}


def test_times_are_summed_up_over_rounds():
    found = Times([[1.0, 1.0, 9.0], [2.0, 2.0, 2.0], [3.0, 3.0, 3.0]]).told(10)
    assert (found["p50"], found["low"], found["high"], found["sure"], found["calls"]) == (2.0, 1.0, 3.0, False, 9)
    assert found["rounds"] == [1.0, 2.0, 3.0]
    assert found["p99"] == pytest.approx(np.percentile([1, 1, 9, 2, 2, 2, 3, 3, 3], 99))
    assert found["per_second"] == pytest.approx(10_000 * 3 / 9)  # the median of 2,727, 5,000 and 3,333


@pytest.mark.parametrize(("count", "low", "high"), [(6, 1, 6), (9, 2, 8), (11, 2, 10), (20, 6, 15)])
def test_the_interval_is_that_of_the_sign_test(count, low, high):
    assert interval(list(range(count, 0, -1))) == (low, high, True)


def test_the_interval_holds_its_promise():
    """Of medians of a skewed distribution, at least 95 % lie inside."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(2000):
        low, high, sure = interval(rng.lognormal(size=12).tolist())
        inside += sure and low <= 1.0 <= high
    assert 0.95 <= inside / 2000 <= 0.99


def test_of_few_rounds_all_are_told_and_of_none_nothing():
    assert interval([2.0, 1.0, 5.0]) == (1.0, 5.0, False)
    assert interval([1.0, 2.0, 3.0, 4.0, 5.0]) == (1.0, 5.0, False)
    with pytest.raises(ValueError):
        interval([])
