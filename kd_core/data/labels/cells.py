"""Cells that hold lists of labels: how they are written is found out, then each is taken apart.

Three ways are known: JSON (`["a", "b"]`), the same with single quotes as Python writes it, and words between `|`, `;` or `,`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kd_core.limits import FEW_CLASSES, LABEL_CHARACTERS

SEPARATORS = ("|", ";", ",")
_SEEN = 2_000  # cells that are looked at to find out
_LISTS = 0.9  # share of cells with brackets from which all are taken for lists
_COME_AGAIN = 5  # times that a label stands in the cells on average, in a column that nobody called one of labels
_SEVERAL = 0.15  # share of cells that hold several, in such a column
_ANYWHERE = 0.5  # share of later words of a cell that stand first in others: of lists, not of `Director, Sales`
_SPACE = re.compile(r"\s+")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|([^\s,'\"\[\]]+)")
_PYTHON = re.compile(r"\[\s*(?:(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\s,'\"\[\]]+)\s*(?:,\s*|(?=\])))*\]")


@dataclass(frozen=True)
class Form:
    """How the cells of a column are written. `separator`: None where they are lists in brackets.

    `lists`, `others`: cells with and without brackets among those that were looked at.
    """

    separator: str | None
    lists: int
    others: int

    @property
    def mixed(self) -> bool:
        """Whether some cells are lists in brackets and many others are not."""
        return self.lists > 0 and self.others > (1 - _LISTS) * (self.lists + self.others)

    @property
    def words(self) -> str:
        """Say it. Example: `words between ;`."""
        return "lists in brackets" if self.separator is None else f"words between {self.separator}"


@dataclass(frozen=True)
class Lists:
    """Cells taken apart. Legend: P pairs of a row and a label.

    rows_P and codes_P: where which label stands, each once; `empty`: rows without a label; `bad`: rows whose cell can't be read.
    """

    names: tuple[str, ...]
    rows: Any
    codes: Any
    empty: Any
    bad: Any
    form: Form


def text_of(cell: Any) -> str:
    """Write a cell as text; a list of a file that has such cells as JSON, nothing where it is missing."""
    if isinstance(cell, list | tuple | np.ndarray):
        return json.dumps(
            [None if v is None else v if isinstance(v, str) else str(v) for v in cell], ensure_ascii=False
        )
    if cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell)):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def form_of(cells: Sequence[str]) -> Form:
    """Find out how cells are written: brackets, else the separator that leaves the fewest different labels: others stand inside them."""
    seen = [c for c in cells if c]
    lists = sum(c.startswith("[") and c.endswith("]") for c in seen)
    if lists:
        return Form(None, lists, len(seen) - lists)
    different = set(seen)
    used = [s for s in SEPARATORS if any(s in c for c in different)] or [SEPARATORS[0]]
    left = [len({part.strip() for c in different for part in c.split(s)}) for s in used]
    return Form(used[int(np.argmin(left))], 0, len(seen))


def looks_like_lists(values: pd.Series) -> bool:
    """Say whether a column that nobody called one of labels is one: its cells are lists of short words that come again and again."""
    cells = [text_of(v) for v in values.iloc[:_SEEN]]
    known = [c for c in cells if c]
    if len(known) < 20:
        return False
    form = form_of(known)
    if form.mixed:
        return False
    parts = [found for c in known if (found := apart(c, form)) is not None]
    several = sum(len(p) > 1 for p in parts)
    labels = [label for p in parts for label in p]
    different = set(labels)
    if len(parts) < len(known) or several < _SEVERAL * len(parts) or not len(different) >= 2:
        return False
    if len({len(p) for p in parts}) == 1:
        return False  # always as many: names of classes that hold a comma, such as `mugs, fine`
    if form.separator is not None and (any(len(x) > 40 for x in different) or len(set(known)) <= len(different)):
        return False  # sentences, or fixed combinations: `Paris, France`
    if form.separator == "," and not _any_may_stand_first(parts):
        return False  # a name and what it is of: `Director, Sales` beside `Director`
    return len(labels) >= _COME_AGAIN * len(different) or len(different) <= FEW_CLASSES


def _any_may_stand_first(parts: Sequence[Sequence[str]]) -> bool:
    """Say whether most words that follow another one in a cell begin some other cell."""
    first = {p[0] for p in parts if p}
    later = [word for p in parts for word in p[1:]]
    return sum(word in first for word in later) >= _ANYWHERE * len(later)


def apart(cell: str, form: Form) -> list[str] | None:
    """Take one cell apart, each label once, in its order; None where it can't be read as its column's cells are."""
    if not cell:
        return []
    if form.separator is not None:
        found = cell.split(form.separator)
    elif not (cell.startswith("[") and cell.endswith("]")):
        return None
    else:
        read = _bracketed(cell)
        if read is None:
            return None
        found = read
    return list(dict.fromkeys(w for part in found if (w := _SPACE.sub(" ", part).strip())))


def _bracketed(cell: str) -> list[str] | None:
    if "[" in cell[1:].split('"', 1)[0].split("'", 1)[0]:
        return None  # a list in a list
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        if len(cell) > 10_000 or not _PYTHON.fullmatch(cell):
            return None
        return [next(g for g in match.groups() if g is not None) for match in _QUOTED.finditer(cell[1:-1])]
    if not isinstance(found, list) or any(isinstance(v, list | dict) for v in found):
        return None
    return [text_of(v) if not isinstance(v, bool) else str(v) for v in found if v is not None]


def read_lists(cells: Sequence[str]) -> Lists:
    """Take all cells of a column apart. Labels are sorted by name; numbers by value."""
    form = form_of(cells)
    places: dict[str, int] = {}
    rows: list[int] = []
    codes: list[int] = []
    empty, bad = np.zeros(len(cells), np.bool_), np.zeros(len(cells), np.bool_)
    kept: dict[str, list[str] | None] = {}
    for row, cell in enumerate(cells):
        if cell not in kept:
            kept[cell] = apart(cell, form)
        found = kept[cell]
        if found is None or any(len(label) > LABEL_CHARACTERS for label in found):
            bad[row] = True
            continue
        empty[row] = not found
        for label in found:
            rows.append(row)
            codes.append(places.setdefault(label, len(places)))
    names = sorted(places, key=_order)
    renumbered = np.empty(len(places), np.int64)
    renumbered[[places[name] for name in names]] = np.arange(len(names))
    at = np.array(codes, np.int64)
    return Lists(tuple(names), np.array(rows, np.int64), renumbered[at] if len(at) else at, empty, bad, form)


def _order(name: str) -> tuple[int, float, str]:
    try:
        value = float(name)
    except ValueError:
        return 1, 0.0, name
    return (0, value, name) if np.isfinite(value) else (1, 0.0, name)
