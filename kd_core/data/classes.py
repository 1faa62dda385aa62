"""Classes with too few rows, and one class against all the rest."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from kd_core.data.types import plural, row_numbers, shown_rows
from kd_core.errors import Problem
from kd_core.limits import CLASSES, MIN_CLASS_ROWS

Rare = Literal["refuse", "drop", "merge"]
Codes = npt.NDArray[np.int64]
OTHER = "other"  # the class that rare ones are merged into


def against_rest(codes: Codes, labels: list[str], one: str, name: str) -> tuple[Codes, list[str], Problem]:
    """Make two classes of many: a class and all others. Shape: (N,) class indices, -1 where missing."""
    said = Problem(
        "note",
        "against_rest",
        f"Target {name}: {one} is predicted against {plural(len(labels) - 1, 'other class', 'other classes')}.",
        "",
        name,
        values=_held(labels),
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
    done = f"merged into '{OTHER}'" if rare == "merge" else "left out"
    said = Problem(
        "warning",
        "rare_classes",
        f"Target {name}: {plural(count, 'row')} of {plural(len(small), 'class', 'classes')} with fewer than {MIN_CLASS_ROWS} rows "
        f"{'were' if count > 1 else 'was'} {done} ({_listed(labels, counts, small)}; {shown_rows(rows, count)}).",
        "A model can't learn what it sees twice.",
        name,
        count,
        rows,
        _held(labels),
    )
    return table[codes], kept, [said]


def too_small(labels: list[str], counts: npt.NDArray[np.int64], codes: Codes, name: str) -> list[Problem]:
    """Name the classes too small to have a row in each part."""
    small = np.flatnonzero(counts < MIN_CLASS_ROWS)
    if not len(small):
        return []
    where = np.isin(codes, small)
    count, rows = int(where.sum()), row_numbers(where)
    if len(small) == 1:
        text = f"class {labels[small[0]]} has {plural(count, 'row')}; needs >= {MIN_CLASS_ROWS} ({shown_rows(rows, count)})."
    else:
        text = f"{len(small):,} classes are too small: {_listed(labels, counts, small)}; each needs >= {MIN_CLASS_ROWS} rows ({shown_rows(rows, count)})."
    hint = "Leave their rows out, merge small classes, or predict one class against the rest."
    return [Problem("error", "small_class", f"Target {name}: {text}", hint, name, count, rows, _held(labels))]


def _listed(labels: list[str], counts: npt.NDArray[np.int64], small: npt.NDArray[np.int64]) -> str:
    named = ", ".join(f"{labels[i]} ({plural(int(counts[i]), 'row')})" for i in small[:5])
    return named + (f" and {len(small) - 5:,} more" if len(small) > 5 else "")


def _held(labels: list[str]) -> dict[str, list[str]]:
    """Keep the classes of the file with a finding, so that a control can offer them."""
    return {"classes": labels[:CLASSES]}
