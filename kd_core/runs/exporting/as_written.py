"""Typed rows of a run written as a file would hold them, and odd rows made by the rules of their columns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from kd_core.data.types import dates
from kd_core.data.types.base import ColumnType
from kd_core.data.types.cells import MISSING_WORDS
from kd_core.data.types.typed_column import text_of

Written = dict[str, Any]
_WORDS = ("", None, "NA", "n/a", "?", "  ", "-")  # each read as missing where the column's rules say so
_ANYWHERE = ("never seen before", "0", "-1", "1e3", "abc", "  padded  ", "é", "中文", "1,5", "1.234,5", "1,234.5")
_NUMBERS = ("+3", " 12 ", "1e999", "-0", "∞", "007", ".5", "5.", "12 345")
_TIMES = ("1999-12-31", "29.02.2024", "2024-02-30", "1699999999", "2024-06-01T12:30:00", "99/99/99")
_LABELS = ("TRUE", "no", "Yes", "0.0")


def as_written(frame: pd.DataFrame, types: Mapping[str, ColumnType]) -> list[Written]:
    """Write rows as their file would: texts in the column's own form, None where nothing stands; pictures are the bytes of a file."""
    cells = {name: [_written(v, column) for v in frame[name].tolist()] for name, column in types.items()}
    return [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]


def _written(value: Any, column: ColumnType) -> Any:
    if isinstance(value, bytes):
        return value
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    if isinstance(value, datetime):
        return _time(value, column)
    if isinstance(value, str):
        return value.replace(".", column.number.decimal) if column.codes else value
    return text_of(value, column)


def _time(when: datetime, column: ColumnType) -> str | None:
    form = column.date_format or dates.ISO
    if form == dates.UNIX_SECONDS:
        return text_of((when - datetime(1970, 1, 1)).total_seconds(), column)
    return when.isoformat() if form == dates.ISO else when.strftime(form)


def odd_rows(rows: Sequence[Written], types: Mapping[str, ColumnType], most: int) -> list[Written]:
    """Make rows with one or all cells missing, unknown or written otherwise, from given ones; always the same. At most `most`."""
    if not rows or not types:
        return []
    own = {name: _odd(column) for name, column in types.items()}
    made = [dict.fromkeys(types)]
    for turn in range(max(map(len, own.values()))):
        for at, (name, cells) in enumerate(own.items()):
            if turn < len(cells):
                made.append({**rows[(turn * len(own) + at) % len(rows)], name: cells[turn]})
    made += [{name: cells[turn % len(cells)] for name, cells in own.items()} for turn in range(len(_ANYWHERE))]
    step = math.ceil(len(made) / most) if most else len(made)
    return made[::step][:most]


def _odd(column: ColumnType) -> list[Any]:
    if column.kind == "picture":
        return [None]
    words = [*_WORDS, *(word for word in column.missing if word not in _WORDS), MISSING_WORDS[-1]]
    more = _TIMES if column.kind == "datetime" else _NUMBERS if column.kind == "number" or column.codes else _LABELS
    spellings = list(column.spelling)[:5]
    return [*words, *_ANYWHERE, *more, *spellings, *(label.upper() for label in column.truth)]
