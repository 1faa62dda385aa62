"""Where one model answers otherwise than another: groups of rows by class and by the values of each column."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array
from kd_core.evaluate.base import Answers
from kd_core.evaluate.intervals.families import holm

FEWEST = 30  # rows of a group; fewer say little, and an interval of theirs is no interval
MOST_VALUES = 8  # of a column, the commonest ones
PARTS = 4  # groups of a number, with as many rows each
CLASS = "class"  # in place of a column: rows of one true class
_SURE = 0.95


@dataclass(frozen=True)
class Slice:
    """A group of rows. `column` is None for those of one true class. Where a group is of numbers, `low` and `high` bound it.

    `scores`: by arm, the share of right answers, or the mean absolute error. `gain`: by how much the first arm is better than the
    second, with half of its 95 % interval (Student's t over units), None where all rows are one unit; `sure`: whether it differs from 0, all
    groups of the table counted (Holm).
    """

    column: str | None
    value: str | None
    low: float | None
    high: float | None
    rows: int
    scores: Mapping[str, float]
    gain: float
    half: float | None
    sure: bool = False

    def told(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**vars(self), "scores": dict(self.scores)}


def right(answers: Answers) -> Array:
    """Return what each row counts: 1 for a right answer and 0 for a wrong one, or the absolute error of a number. Shape: (N,)."""
    if answers.p is not None:
        return np.asarray(answers.predicted == answers.y, np.float64)
    assert answers.values is not None
    return np.asarray(np.abs(answers.values - answers.y), np.float64)


def slices(
    frame: pd.DataFrame,
    arms: Mapping[str, Answers],
    first: str,
    second: str,
    classes: tuple[str, ...] = (),
    units_N: Array | None = None,
) -> list[Slice]:
    """Compare two arms in every group of rows, those first in which they differ most for its size.

    `frame`: the rows' columns to group by, typed; pictures are left to others, and of texts and keys those that many rows share are groups. `units_N`: numbers of
    the rows that belong together, which are no independent evidence.
    Shape: N rows in the frame and in every arm.
    """
    points = {name: right(one) for name, one in arms.items()}
    better = 1.0 if arms[first].p is not None else -1.0
    difference = better * (points[first] - points[second])
    found: list[Slice] = []
    tests: list[float] = []
    for column, value, low, high, rows in _groups(frame, arms[first].y, classes):
        count = int(rows.sum())
        if count < FEWEST:
            continue
        gain, half, chance = _mean(difference[rows], None if units_N is None else units_N[rows])
        scores = {name: float(one[rows].mean()) for name, one in points.items()}
        found.append(Slice(column, value, low, high, count, scores, gain, half))
        tests.append(chance)
    sure = [p is not None and p <= 0.05 for p in holm(tests)]
    told = [Slice(**{**vars(one), "sure": is_sure}) for one, is_sure in zip(found, sure, strict=True)]
    return sorted(told, key=_clear, reverse=True)


def _clear(one: Slice) -> float:
    if one.half is None or not one.gain:
        return 0.0
    return abs(one.gain) / one.half if one.half else float("inf")


def _groups(
    frame: pd.DataFrame, y: Array, classes: tuple[str, ...]
) -> Iterator[tuple[str | None, str | None, float | None, float | None, Array]]:
    for number, name in enumerate(classes):
        yield None, name, None, None, np.asarray(y == number)
    for column in map(str, frame.columns):
        values = frame[column]
        missing = values.isna().to_numpy()
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            yield from _of_numbers(column, values.to_numpy(np.float64, na_value=np.nan), missing)
        elif not pd.api.types.is_datetime64_any_dtype(values):
            yield from _of_values(column, values.astype("object"), missing)
        if missing.any():
            yield column, None, None, None, missing


def _of_numbers(
    column: str, values: Array, missing: Array
) -> Iterator[tuple[str, str | None, float | None, float | None, Array]]:
    known = values[~missing]
    if not len(known):
        return
    ends = np.unique(
        np.quantile(known, np.linspace(0, 1, PARTS + 1)[1:])
    )  # a value of many rows, such as 0, ends a group of its own
    for at, (low, high) in enumerate(itertools.pairwise([known.min(), *ends])):
        above = values >= low if at == 0 else values > low
        yield column, "", float(low), float(high), np.asarray(~missing & above & (values <= high))


def _of_values(column: str, values: pd.Series, missing: Array) -> Iterator[tuple[str, str, None, None, Array]]:
    if not all(isinstance(v, str | bool) for v in values[~missing].head(FEWEST)):
        return  # pictures and whatever else has no values to group by
    named = values[~missing].astype(str)
    common = named.value_counts()
    told = values.astype(str).to_numpy()
    for value in common.index[:MOST_VALUES]:
        yield column, str(value), None, None, np.asarray(~missing & (told == value))


def _mean(differences: Array, units: Array | None) -> tuple[float, float | None, float]:
    """Return the mean, half of its interval, and how likely so large a one is where there is no difference; rows of one unit count as one.

    No chance is below that of all units' signs falling alike, so that a few units are never sure, however near to each other they are.
    """
    from scipy.stats import t  # whoever only answers rows does without

    count, mean = len(differences), float(differences.mean())
    off: Array = differences - mean
    if units is not None:
        off = np.bincount(np.unique(units, return_inverse=True)[1], weights=off)
    num = len(off)
    if num < 2:
        return mean, None, 1.0
    error = float(np.sqrt((off**2).sum() * num / (num - 1)) / count)
    chance = float(2 * t.sf(abs(mean) / error, num - 1)) if error > 0 else float(mean == 0)
    return mean, float(t.ppf((1 + _SURE) / 2, num - 1)) * error, max(chance, min(1.0, 2.0 ** (1 - num)))
