"""Classes with too few rows, and one class against all the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from kd_core.data.plain.counted import plural
from kd_core.data.types.base import row_numbers, shown_rows
from kd_core.errors import Problem, Says
from kd_core.limits import CLASSES, MIN_CLASS_ROWS

Rare = Literal["refuse", "drop", "merge"]
Codes = npt.NDArray[np.int64]
OTHER = "other"  # the class that rare ones are merged into

_AGAINST_REST = Says("against_rest", "note", "Target {column}: {one} is predicted against {others}.")
_RARE_LEFT_OUT = Says(
    "rare_classes",
    "warning",
    "Target {column}: {number} of {small} with fewer than {least} rows {were} left out ({listed}; {where}).",
    "A model can't learn what it sees twice.",
)
_RARE_MERGED = replace(
    _RARE_LEFT_OUT,
    message="Target {column}: {number} of {small} with fewer than {least} rows {were} merged into '{other}' ({listed}; {where}).",
)
_SMALL_CLASS = Says(
    "small_class",
    "error",
    "Target {column}: class {small} has {number}; needs >= {least} ({where}).",
    "Leave their rows out, merge small classes, or predict one class against the rest.",
)
_SMALL_CLASSES = replace(
    _SMALL_CLASS,
    message="Target {column}: {small:,} classes are too small: {listed}; each needs >= {least} rows ({where}).",
)


def against_rest(codes: Codes, labels: list[str], one: str, name: str) -> tuple[Codes, list[str], Problem]:
    """Make two classes of many: a class and all others. Shape: (N,) class indices, -1 where missing."""
    said = _AGAINST_REST.problem(
        name, one=one, others=plural(len(labels) - 1, "other class", "other classes"), classes=_held(labels)
    )
    return np.where(codes < 0, -1, (codes == labels.index(one)).astype(np.int64)), [f"not {one}", one], said


def without_rare(codes: Codes, labels: list[str], rare: Rare, name: str) -> tuple[Codes, list[str], list[Problem]]:
    """Leave out the rows of classes with too few rows, or merge these classes into one.

    Shape: (N,) class indices, -1 where missing; the problems say what was done with how many rows.
    """
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    small = np.flatnonzero(counts < MIN_CLASS_ROWS)
    if not len(small):
        return codes, labels, []
    where = np.isin(codes, small)
    count, rows = int(where.sum()), row_numbers(where)
    kept = [x for i, x in enumerate(labels) if i not in set(small.tolist())]
    if rare == "merge" and OTHER not in kept:
        kept.append(OTHER)
    place = {x: i for i, x in enumerate(kept)}
    fallback = place[OTHER] if rare == "merge" else -1
    table = np.array([*(place.get(x, fallback) for x in labels), -1], np.int64)
    done = _RARE_MERGED if rare == "merge" else _RARE_LEFT_OUT
    said = done.problem(
        name,
        count,
        rows,
        number=plural(count, "row"),
        small=plural(len(small), "class", "classes"),
        least=MIN_CLASS_ROWS,
        were="were" if count > 1 else "was",
        other=OTHER,
        listed=_listed(labels, counts, small),
        where=shown_rows(rows, count),
        classes=_held(labels),
    )
    return table[codes], kept, [said]


def too_small(labels: list[str], counts: npt.NDArray[np.int64], codes: Codes, name: str) -> list[Problem]:
    """Name the classes too small to have a row in each part."""
    small = np.flatnonzero(counts < MIN_CLASS_ROWS)
    if not len(small):
        return []
    where = np.isin(codes, small)
    count, rows = int(where.sum()), row_numbers(where)
    told = {"least": MIN_CLASS_ROWS, "where": shown_rows(rows, count), "classes": _held(labels)}
    if len(small) == 1:
        return [_SMALL_CLASS.problem(name, count, rows, small=labels[small[0]], number=plural(count, "row"), **told)]
    listed = _listed(labels, counts, small)
    return [_SMALL_CLASSES.problem(name, count, rows, small=len(small), listed=listed, **told)]


def _listed(labels: list[str], counts: npt.NDArray[np.int64], small: npt.NDArray[np.int64]) -> str:
    named = ", ".join(f"{labels[i]} ({plural(int(counts[i]), 'row')})" for i in small[:5])
    return named + (f" and {len(small) - 5:,} more" if len(small) > 5 else "")


def _held(labels: list[str]) -> list[str]:
    """Keep the classes of the file with a finding, so that a control can offer them."""
    return labels[:CLASSES]
