"""Student against baseline: the paired interval over seeds and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import t as student_t

from kd_core.errors import KDError

Better = Literal["higher", "lower"]
Word = Literal["beats", "ties", "hurts", "inconclusive"]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """Mean of paired differences with its 95 % interval; no bounds below two pairs. Units: the metric's."""

    mean: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Gain(Interval):
    """An interval turned so that above 0 always means better, whatever the metric's direction."""


@dataclass(frozen=True)
class Verdict:
    """One word for the comparison; `small` marks a difference that is real but inside the margin."""

    word: Word
    small: bool = False


def paired(student_values: Sequence[float], baseline_values: Sequence[float]) -> Interval:
    """Compute student minus baseline, paired by seed, with a 95 % t interval.

    Errors: KDError when the sides differ in length, are empty or hold a value that is not finite.
    """
    student, baseline = np.asarray(student_values, dtype=np.float64), np.asarray(baseline_values, dtype=np.float64)
    if student.shape != baseline.shape or student.ndim != 1 or not len(student):
        raise KDError(
            "{students} student values can't be paired with {baselines} baseline values.",
            "Train both with the same seeds.", "unpaired", students=student.size, baselines=baseline.size,
        )  # fmt: skip
    difference = student - baseline
    if not np.isfinite(difference).all():
        raise KDError(
            "A metric value is not a finite number: student {student}, baseline {baseline}.",
            "Leave out metrics that are undefined on these rows.", "not_finite",
            student=student.tolist(), baseline=baseline.tolist(),
        )  # fmt: skip
    n, mean = len(difference), float(difference.mean())
    if n < 2:
        return Interval(mean, None, None, n)
    half = float(student_t.ppf(0.5 + CONFIDENCE / 2, n - 1) * difference.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, n)


def gain(interval: Interval, better: Better) -> Gain:
    """Turn a paired difference so that above 0 means better; a `Gain` stays as it is."""
    if isinstance(interval, Gain) or better == "higher" or interval.low is None or interval.high is None:
        sign = -1.0 if better == "lower" and not isinstance(interval, Gain) else 1.0
        return Gain(sign * interval.mean, interval.low, interval.high, interval.n)
    return Gain(-interval.mean, -interval.high, -interval.low, interval.n)


def margin_in_units(margin: float, relative: bool, baseline_values: Sequence[float]) -> float:
    """Turn a margin into the metric's unit; a relative one is a share of the baseline's mean."""
    return margin * abs(float(np.mean(baseline_values))) if relative else margin


def verdict(interval: Interval, margin: float, better: Better) -> Verdict:
    """Judge a paired difference. `margin` is in the metric's unit (see `margin_in_units`).

    Above 0: beats; below: hurts (`small` when also inside the margin); inside the margin: ties; else inconclusive.
    """
    turned = gain(interval, better)
    if turned.low is None or turned.high is None:
        return Verdict("inconclusive")
    inside = -margin < turned.low and turned.high < margin
    if turned.low > 0:
        return Verdict("beats", small=inside)
    if turned.high < 0:
        return Verdict("hurts", small=inside)
    return Verdict("ties" if inside else "inconclusive")


def gap_closed(student: float, baseline: float, teacher: float, better: Better, noise: float = 0.0) -> float | None:
    """Return (student - baseline) / (teacher - baseline), or None when the teacher is no better beyond `noise`."""
    sign = 1.0 if better == "higher" else -1.0
    room = sign * (teacher - baseline)
    return sign * (student - baseline) / room if room > max(noise, 0.0) else None
