"""Student against baseline: the paired interval over seeds and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student_t

from kd_core.errors import KDError

Better = Literal["higher", "lower"]
Word = Literal["beats", "ties", "hurts", "inconclusive"]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """Mean gain over paired seeds with its 95 % interval; no bounds below two pairs. Units: the metric's."""

    mean: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Verdict:
    """One word for the comparison; `small` marks a difference that is real but inside the margin."""

    word: Word
    small: bool = False


def paired(student_values: Sequence[float], baseline_values: Sequence[float], better: Better = "higher") -> Interval:
    """Compute the gain of the student over the baseline, paired by seed, with a 95 % t interval.

    Above 0 always means better: for errors (`better="lower"`) it is baseline minus student.
    Errors: KDError when the sides differ in length, are empty or hold a value that is not finite.
    """
    student, baseline = np.asarray(student_values, dtype=np.float64), np.asarray(baseline_values, dtype=np.float64)
    if student.shape != baseline.shape or student.ndim != 1 or not len(student):
        raise KDError(
            "{students} student values can't be paired with {baselines} baseline values.",
            "Train both with the same seeds.", "unpaired", students=student.size, baselines=baseline.size,
        )  # fmt: skip
    difference = student - baseline if better == "higher" else baseline - student
    if not np.isfinite(difference).all():
        raise KDError(
            "A metric value is not a finite number: student {student}, baseline {baseline}.",
            "Leave out metrics that are undefined on these rows.", "not_finite",
            student=student.tolist(), baseline=baseline.tolist(),
        )  # fmt: skip
    n, mean = len(difference), float(difference.mean())
    if n < 2:
        return Interval(mean, None, None, n)
    half = half_width(difference)
    return Interval(mean, mean - half, mean + half, n)


def half_width(values: Sequence[float] | npt.NDArray[np.float64]) -> float:
    """Compute half the width of the 95 % t interval of a mean; 0 for a single value."""
    n = len(values)
    if n < 2:
        return 0.0
    return float(student_t.ppf(0.5 + CONFIDENCE / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n))


def margin_in_units(margin: float, relative: bool, baseline_values: Sequence[float]) -> float:
    """Turn a margin into the metric's unit; a relative one is a share of the baseline's mean."""
    return margin * abs(float(np.mean(baseline_values))) if relative else margin


def verdict(interval: Interval, margin: float) -> Verdict:
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


def gap_closed(student: float, baseline: float, teacher: float, better: Better, noise: float = 0.0) -> float | None:
    """Return (student - baseline) / (teacher - baseline), or None when the teacher is no better beyond `noise`."""
    sign = 1.0 if better == "higher" else -1.0
    room = sign * (teacher - baseline)
    return sign * (student - baseline) / room if room > max(noise, 0.0) else None


# TEMPORARY
@dataclass(frozen=True)
class Gain:
    mean: float
    low: float | None
    high: float | None
    seeds_half: float | None
    rows_half: float | None
    n: int


def certified(differences: Any, rows_se: float, level: float = CONFIDENCE) -> Gain:
    d = np.asarray(differences, dtype=np.float64)
    rows = 1.96 * rows_se
    if len(d) < 2:
        return Gain(float(d.mean()), None, None, None, rows, len(d))
    seeds = half_width(d)
    half = float(np.hypot(seeds, rows))
    return Gain(float(d.mean()), d.mean() - half, d.mean() + half, seeds, rows, len(d))


def family_words(gains: Any, margins: Any) -> list[Verdict]:
    return [verdict(Interval(g.mean, g.low, g.high, g.n), m) for g, m in zip(gains, margins, strict=True)]
