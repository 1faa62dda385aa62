"""Many settings against the best one: Holm's step-down on paired differences, with an interval beside each word.

Two questions are asked of every setting, "does it lie behind by less than the margin?" and "does it lie behind at all?". Each is a family of
its own. A wrong yes to one of them needs one tail of a two-sided interval, so that both families together are wrong in at most 5 % of runs.

Source: Holm 1979, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kd_core.evaluate.intervals.advice import FIRST_SEEDS
from kd_core.evaluate.intervals.compare import CONFIDENCE, t_quantile

Standing = Literal["enough", "worse", "unclear"]
BEYOND = 1_000_000  # seeds that nobody trains


@dataclass(frozen=True)
class Behind:
    """How far a setting lies behind the best one over `n` common seeds; above 0 is behind. Units: the metric's.

    `low`, `high`: its paired t interval at `level`, which is as wide as Holm's step asks; None for one seed. `word`: enough (the interval lies
    below the margin), worse (it lies above 0 and reaches the margin), else unclear. `need`: seeds that would settle what is unclear if mean and spread stay; None where
    no number of seeds would, or nothing is open.
    """

    mean: float
    low: float | None
    high: float | None
    n: int
    level: float
    word: Standing
    need: int | None = None

    def alone(self) -> tuple[float, float] | None:
        """Give the 95 % interval of this one pair, which takes no account of other comparisons; None for one seed."""
        if self.low is None or self.high is None:
            return None
        half = (self.high - self.mean) * t_quantile((1 - CONFIDENCE) / 2, self.n - 1)
        half /= t_quantile((1 - self.level) / 2, self.n - 1)
        return self.mean - half, self.mean + half


def behind(
    differences: Sequence[Sequence[float]], margin: float, members: int | None = None, pairs_looked_at: int = 0
) -> list[Behind]:
    """Judge every setting by its differences best - setting, one a common seed; all words hold together in 95 % of runs.

    `members`: comparisons that were looked at, where these are more. `pairs_looked_at`: pairs of which any could have been one of these, as the
    best was chosen by the same seeds: it is partly the luckiest, which makes others look worse and never better, so that "worse" has to hold
    among all of these pairs, whichever is the best.
    Units: margin in the metric's. Errors: ValueError for a setting without a seed.
    """
    pairs = [_Pair.of(values) for values in differences]
    family = max(len(pairs), members or 0)
    near, near_level = _step_down(pairs, family, lambda p: margin - p.mean, lambda p, level: p.high(level) < margin)
    far, far_level = _step_down(
        pairs, max(family, pairs_looked_at), lambda p: p.mean, lambda p, level: p.low(level) > 0
    )
    found = []
    for place, pair in enumerate(pairs):
        level = near_level[place] if near[place] else far_level[place] if far[place] else 1.0
        word: Standing = "enough" if near[place] else "worse" if far[place] else "unclear"
        if word == "unclear" or (
            word == "worse" and pair.high(level) < margin
        ):  # the wider one: no word says more than what is shown with it
            level = max(near_level[place], far_level[place])
            word = "worse" if far[place] and pair.low(level) > 0 else "unclear"
        half = pair.half(level)
        low, high = (None, None) if half is None else (pair.mean - half, pair.mean + half)
        need = _need(pair, level, margin) if word == "unclear" else None
        found.append(Behind(pair.mean, low, high, pair.n, level, word, need))
    return found


@dataclass(frozen=True)
class _Pair:
    mean: float
    error: float | None  # standard error of the mean
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> _Pair:
        if not len(values):
            raise ValueError("a setting shares no seed with the best one")
        found = np.asarray(values, dtype=np.float64)
        n = len(found)
        return cls(float(found.mean()), float(np.std(found, ddof=1)) / math.sqrt(n) if n > 1 else None, n)

    def half(self, level: float) -> float | None:
        return None if self.error is None else t_quantile((1 - level) / 2, self.n - 1) * self.error

    def low(self, level: float) -> float:
        half = self.half(level)
        return -math.inf if half is None else self.mean - half

    def high(self, level: float) -> float:
        half = self.half(level)
        return math.inf if half is None else self.mean + half

    def tail(self, distance: float) -> float:
        """Return the chance of a mean this far away or farther; 1 where that is not known."""
        if self.error is None or distance <= 0:
            return 1.0
        if self.error == 0:
            return 0.0
        from scipy.special import stdtr  # a quarter of a second to load, and who reads a finished run needs none of it

        return 2.0 * float(stdtr(self.n - 1, -distance / self.error))


def _step_down(
    pairs: Sequence[_Pair], family: int, distance: Callable[[_Pair], float], holds: Callable[[_Pair, float], bool]
) -> tuple[list[bool], list[float]]:
    """Go from the clearest to the least clear; the first that does not hold at its level ends it, and gives the rest its level."""
    order = sorted(range(len(pairs)), key=lambda place: pairs[place].tail(distance(pairs[place])))
    held, levels, going = [False] * len(pairs), [CONFIDENCE] * len(pairs), True
    step = 0
    for place in order:
        level = 1 - (1 - CONFIDENCE) / (family - step)
        going = going and holds(pairs[place], level)
        held[place], levels[place] = going, level
        step += going
    return held, levels


def _need(pair: _Pair, level: float, margin: float) -> int | None:
    """Find the smallest number of seeds whose half width fits the easier of both decisions: below the margin, or above 0."""
    room = max(margin - pair.mean, pair.mean)
    if pair.error is None:
        return FIRST_SEEDS
    if room <= 0:
        return None
    spread, tail = pair.error * math.sqrt(pair.n), (1 - level) / 2

    def fits(n: int) -> bool:
        return t_quantile(tail, n - 1) * spread / math.sqrt(n) < room

    low, high = pair.n, 2 * pair.n
    while not fits(high):
        low, high = high, 2 * high
        if high > BEYOND:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high
