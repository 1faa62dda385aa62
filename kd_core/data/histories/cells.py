"""Cells that hold several items, one after the other, and what stands between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from kd_core.errors import DataError

SPACE = " "  # stands for white space of any kind and length
SEPARATORS = (SPACE, ",", ";", "|", "\t")
_MARKS = (",", ";", "|", "\t")  # looked for before spaces, which may stand inside of names
_LOOKED_AT = 2000  # cells


def listed(cell: str) -> str:
    """Take brackets and quotation marks of a list as programs write it from a cell. Example: `["a", "b"]` -> `a, b`."""
    bare = cell.strip()
    if not (bare[:1] == "[" and bare[-1:] == "]"):
        return bare
    return ",".join(part.strip().strip("\"'") for part in bare[1:-1].split(","))


def separator_among(cells: Iterable[str]) -> str:
    """Find what stands between the items of cells: the mark that most cells with more than one word hold, else white space."""
    some = [cell for cell, _ in zip(cells, range(_LOOKED_AT), strict=False)]
    several = [cell for cell in some if any(mark in cell for mark in SEPARATORS)]
    holds = [sum(mark in cell for cell in several) for mark in _MARKS]
    best = int(np.argmax(holds))
    return _MARKS[best] if several and 2 * holds[best] >= len(several) else SPACE


def separator_for(names: Sequence[str]) -> str:
    """Choose what to write between items of these names: the first sign that none of them holds.

    Errors: DataError `item_names`.
    """
    for sign in SEPARATORS:
        if not any(part != name for name in names for part in (name.split() if sign == SPACE else name.split(sign))):
            return sign
    odd = max(names, key=lambda name: len(set(name) & set(SEPARATORS)))
    raise DataError(
        "Items can't be written one after the other: their names hold spaces, commas, semicolons, bars and tabs, such as {odd!r}.",
        "Give items short names, such as their numbers.",
        "item_names",
        odd=odd[:80],
    )


def written(separator: str) -> str:
    """Say what a separator is. Example: `commas`."""
    return dict(zip(SEPARATORS, ("spaces", "commas", "semicolons", "bars", "tabs"), strict=True))[separator]
