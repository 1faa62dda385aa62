"""Student against baseline: how sure a gain is over seeds and test rows, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from kd_core.errors import KDError

Better = Literal["higher", "lower"]
Word = Literal["beats", "ties", "hurts", "inconclusive"]

CONFIDENCE = 0.95


class Bounds(Protocol):
    """Anything with two bounds, or none."""

    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


@dataclass(frozen=True)
class Interval:
    """Mean gain over paired seeds with its 95 % interval; no bounds below two pairs. Units: the metric's."""

    mean: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Gain:
    """Mean gain over seeds with an interval that covers seeds and test rows. Units: the metric's.

    seeds_half: half the t interval of the seeds alone, None for one seed; rows_half: the same of the test rows alone,
    None for fewer than two units; low, high: mean -+ the root of the sum of both squares, None where either is. It speaks of
    this training set: what another one would have taught is in neither part.
    """

    mean: float
    low: float | None
    high: float | None
    seeds_half: float | None
    rows_half: float | None
    n: int
    level: float = CONFIDENCE


@dataclass(frozen=True)
class Verdict:
    """One word for the comparison; `small` marks a difference that is real but inside the margin."""

    word: Word
    small: bool = False


def paired(student_values: Sequence[float], baseline_values: Sequence[float], better: Better = "higher") -> Interval:
    """Compute the gain of the student over the baseline, paired by seed, with a 95 % t interval of the seeds alone.

    Above 0 always means better: for errors (`better="lower"`) it is baseline minus student.
    Errors: KDError when the sides differ in length, are empty or hold a value that is not finite.
    """
    if len(student_values) != len(baseline_values):
        raise _unpaired(len(student_values), len(baseline_values))
    difference = differences(student_values, baseline_values, better)
    n, mean = len(difference), float(difference.mean())
    if n < 2:
        return Interval(mean, None, None, n)
    half = half_width(difference)
    return Interval(mean, mean - half, mean + half, n)


def differences(first: Sequence[float], second: Sequence[float], better: Better = "higher") -> npt.NDArray[np.float64]:
    """Compute the gain of the first side over the second for each seed, above 0 when the first is better.

    Shape: (n,) of each side; a side of one value (a teacher) is held against every seed of the other.
    Errors: KDError `unpaired`, `not_finite`.
    """
    ours, theirs = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    fits = ours.ndim == theirs.ndim == 1 and ours.size and theirs.size
    if not fits or (ours.size != theirs.size and 1 not in (ours.size, theirs.size)):
        raise _unpaired(ours.size, theirs.size)
    found = ours - theirs if better == "higher" else theirs - ours
    if not np.isfinite(found).all():
        raise KDError(
            "A metric value is not a finite number: student {student}, baseline {baseline}.",
            "Leave out metrics that are undefined on these rows.",
            "not_finite",
            student=ours.tolist(),
            baseline=theirs.tolist(),
        )
    return found


def _unpaired(students: int, baselines: int) -> KDError:
    return KDError(
        "{students} student values can't be paired with {baselines} baseline values.",
        "Train both with the same seeds.",
        "unpaired",
        students=students,
        baselines=baselines,
    )


def certified(
    differences_per_seed: Sequence[float] | npt.NDArray[np.float64], rows_se: float, level: float = CONFIDENCE
) -> Gain:
    """Join what seeds and test rows leave open: half = root of (t s / sqrt(n))^2 + (z SE)^2.

    `rows_se` is the standard error of the mean difference over the test rows (see `row_spread`), infinite when unknown.
    With one seed there is no interval, and with one unit of rows neither.
    Errors: KDError `not_finite`.
    """
    found = differences(list(differences_per_seed), [0.0])
    n = len(found)
    seeds_se = float(np.std(found, ddof=1)) / math.sqrt(n) if n > 1 else None
    return _gain(float(found.mean()), seeds_se, rows_se if math.isfinite(rows_se) else None, n, level)


def at_level(gain: Gain, level: float) -> Gain:
    """Give the same gain an interval at another level, 0.99 say."""
    return _gain(gain.mean, *_errors(gain), gain.n, level)


def p_value(gain: Gain) -> float | None:
    """Find the level at which the interval just touches 0, and return 1 minus it; None without an interval.

    By this inversion the p-value is below 0.05 exactly when the 95 % interval leaves 0 out.
    """
    seeds_se, rows_se = _errors(gain)
    if seeds_se is None or rows_se is None:
        return None
    from scipy.optimize import brentq

    least = 1e-300

    def beyond(log_p: float) -> float:
        return _half(seeds_se, rows_se, gain.n, math.exp(log_p)) - abs(gain.mean)

    if gain.mean == 0:
        return 1.0
    if beyond(math.log(least)) <= 0:
        return least
    return math.exp(brentq(beyond, math.log(least), 0.0, xtol=1e-12))


def t_quantile(tail: float, df: int) -> float:
    """Find the value that Student's t exceeds with this chance. scipy.special, as scipy.stats takes 100 times as long."""
    from scipy.special import stdtrit  # a quarter of a second to load, and who reads a finished run needs none of it

    return -float(stdtrit(df, tail))


def _normal_quantile(tail: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(tail))


def half_width(values: Sequence[float] | npt.NDArray[np.float64]) -> float:
    """Compute half the width of the 95 % t interval of a mean; 0 for a single value."""
    n = len(values)
    if n < 2:
        return 0.0
    return float(t_quantile((1 - CONFIDENCE) / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n))


def margin_in_units(margin: float, relative: bool, baseline_values: Sequence[float]) -> float:
    """Turn a margin into the metric's unit; a relative one is a share of the baseline's mean."""
    return margin * abs(float(np.mean(baseline_values))) if relative else margin


def verdict(interval: Bounds, margin: float) -> Verdict:
    """Judge a gain (above 0 is better). `margin` is in the metric's unit (see `margin_in_units`).

    Above 0: beats; below: hurts (`small` when also inside the margin); inside the margin: ties; else inconclusive.
    """
    if interval.low is None or interval.high is None:
        return Verdict("inconclusive")
    inside = -margin < interval.low and interval.high < margin
    if interval.low > 0:
        return Verdict("beats", small=inside)
    if interval.high < 0:
        return Verdict("hurts", small=inside)
    return Verdict("ties" if inside else "inconclusive")


def _half(seeds_se: float, rows_se: float, n: int, p: float) -> float:
    return math.hypot(t_quantile(p / 2, n - 1) * seeds_se, _normal_quantile(p / 2) * rows_se)


def _gain(mean: float, seeds_se: float | None, rows_se: float | None, n: int, level: float) -> Gain:
    tail = (1 - level) / 2
    seeds = None if seeds_se is None else t_quantile(tail, n - 1) * seeds_se
    rows = None if rows_se is None else -_normal_quantile(tail) * rows_se
    if seeds is None or rows is None:
        return Gain(mean, None, None, seeds, rows, n, level)
    half = math.hypot(seeds, rows)
    return Gain(mean, mean - half, mean + half, seeds, rows, n, level)


def _errors(gain: Gain) -> tuple[float | None, float | None]:
    """Standard errors of seeds and rows behind a gain."""
    tail = (1 - gain.level) / 2
    seeds = None if gain.seeds_half is None else gain.seeds_half / t_quantile(tail, gain.n - 1)
    return seeds, None if gain.rows_half is None else gain.rows_half / -_normal_quantile(tail)
