"""Times of several candidates in one session: they take turns, round after round, so that a busy minute meets all of them alike."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

LEAST_ROUNDS = 3  # fewer tell nothing of how times scatter
LEAST_CALLS, MOST_CALLS = 3, 400  # of a candidate in one round
WARM_UP_SHARE, WARM_UP_CALLS = 0.25, 100  # of a turn, and at most: the caches belong to whoever came before
SURE = 0.95
Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Turn:
    """What a candidate does when its turn comes: answer batches, one after the other, from the first again.

    `within`: opened around its turn, for threads that are its own.
    """

    predict: Callable[[Any], Any]
    batches: Sequence[Any]
    within: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext


@dataclass
class Times:
    """Every call of one candidate, by round. Units: milliseconds."""

    rounds: list[list[float]] = field(default_factory=list)

    def told(self, batch: int) -> dict[str, Any]:
        """Sum them up: p50 with its interval over rounds, p95 and p99 of all calls, rows per second. Errors: ValueError without a round."""
        middles = [float(np.median(one)) for one in self.rounds]
        low, high, sure = interval(middles)
        p95, p99 = np.percentile([t for one in self.rounds for t in one], (95, 99))
        speeds = [1000 * batch * len(one) / sum(one) for one in self.rounds]
        return {
            "p50": float(np.median(middles)),
            "low": low,
            "high": high,
            "sure": sure,
            "p95": float(p95),
            "p99": float(p99),
            "per_second": float(np.median(speeds)),
            "calls": sum(map(len, self.rounds)),
            "rounds": [round(m, 6) for m in middles],
        }


def interval(values: Sequence[float]) -> tuple[float, float, bool]:
    """Say between which of the values their median lies, by ranks alone: times are skewed, and one outlier must not count.

    Returns low, high and whether that holds with 95 %; of fewer than six values no two are far enough apart, and all of them are told.

    Source: the sign test's interval; ranks k and n + 1 - k, k the largest with P(Binomial(n, 1/2) < k) <= 2.5 %.

    Example:
        >>> interval([3.0, 1.0, 2.0])
        (1.0, 3.0, False)
    """
    ordered, count = sorted(values), len(values)
    if not count:
        raise ValueError("no values")
    rank, below = 0, 1.0
    while below <= (1 - SURE) / 2 * 2**count and rank < count // 2:
        rank += 1
        below += math.comb(count, rank)
    return (ordered[rank - 1], ordered[count - rank], True) if rank else (ordered[0], ordered[-1], False)


def order(names: Sequence[Name], number: int) -> list[Name]:
    """Say who comes when in a round: every second round goes backwards, and then another one begins, so that nobody always follows the same one.

    Example:
        >>> order("abc", 0), order("abc", 1), order("abc", 2)
        (['a', 'b', 'c'], ['c', 'b', 'a'], ['b', 'c', 'a'])
    """
    shift = number // 2 % len(names)
    turned = [*names[shift:], *names[:shift]]
    return turned[::-1] if number % 2 else turned


def in_rounds(
    turns: Mapping[Name, Turn],
    rounds: int,
    seconds_each: float,
    *,
    until: float = math.inf,
    on_round: Callable[[int], None] = lambda done: None,
    should_stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> dict[Name, Times]:
    """Let candidates take turns for so many rounds after one that is not counted.

    A new round begins while fewer than `LEAST_ROUNDS` are done or, as the last one took, it would end within `until` seconds of the start;
    whoever reads the times sees how many there were. `should_stop` is asked before every turn; a round that was not finished does not count.
    Units: seconds_each per turn, its warm-up aside.
    """
    found: dict[Name, Times] = {name: Times() for name in turns}
    names, start = list(turns), clock()
    for number in range(-1, rounds if names else -1):
        began = clock()
        taken: dict[Name, list[float]] = {}
        for name in order(names, number + 1):
            if should_stop():
                return found
            taken[name] = _turn(turns[name], seconds_each, clock)
        if number >= 0:
            for name, calls in taken.items():
                found[name].rounds.append(calls)
        on_round(number + 1)
        now = clock()
        if number + 1 >= LEAST_ROUNDS and (now - start + now - began) / 1e9 > until:
            break
    return found


def _turn(turn: Turn, seconds: float, clock: Callable[[], int]) -> list[float]:
    """Call for a bounded time. Units: milliseconds of each call."""
    taken: list[float] = []
    count = len(turn.batches)
    with turn.within():
        start, number = clock(), 0
        while number == 0 or (number < WARM_UP_CALLS and clock() - start < 1e9 * seconds * WARM_UP_SHARE):
            turn.predict(turn.batches[number % count])
            number += 1
        start = before = clock()
        while len(taken) < MOST_CALLS:
            turn.predict(turn.batches[len(taken) % count])
            now = clock()
            taken.append((now - before) / 1e6)
            before = now
            if now - start > 1e9 * seconds * (1 if len(taken) >= LEAST_CALLS else LEAST_CALLS):
                break
    return taken
