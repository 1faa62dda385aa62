"""One cell read alone, without an array around it: exactly as `typed_column.coerce` reads it, or not at all.

A reader returns float64 for numbers, codes and times, NaN where missing (times: seconds since 1970 UTC), and text for labels and
texts, empty where missing. It returns None for a cell that has no short way; whoever asks then takes the long one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data.types import dates, numbers
from kd_core.data.types.base import FALSE_WORDS, TRUE_WORDS, ColumnType
from kd_core.data.types.cells import MISSING_WORDS
from kd_core.data.types.typed_column import text_of
from kd_core.limits import LARGEST_NUMBER

CellReader = Callable[[Any], Any]
SPACES = " \t\r\n"  # Arrow trims more, of which nothing is known here
_MISSING = frozenset(MISSING_WORDS)
_SCALARS = {np.bool_, np.str_, *(np.dtype(kind).type for kind in ("f2", "f4", "f8", *np.typecodes["AllInteger"]))}
_NOTHING = {type(None), type(pd.NA), type(pd.NaT)}
_PLAIN = {str, bool, int, float, *_NOTHING}
_EPOCH = datetime(1970, 1, 1)  # times are compared in UTC without a zone
_MINUTE, _SECOND = timedelta(minutes=1), 1e6
YEARS = range(1678, 2262)  # of any unit that times are kept in
_UNIX = 9e9  # seconds, within those years


def cell_reader(column: ColumnType) -> CellReader:
    """Make the reader of a column."""
    if column.kind == "datetime":
        return _times(column)
    return _numbers(column) if column.kind == "number" or column.codes else _labels(column)


def _plain(cell: Any) -> Any:
    """Turn numpy's own values into Python's."""
    return cell.item() if type(cell) in _SCALARS else cell


def _numbers(column: ColumnType) -> CellReader:
    parsed = numbers.text_reader(column.number)

    def read(cell: Any) -> float | None:
        cell = _plain(cell)
        if type(cell) is bool and column.truth:
            cell = column.truth[cell]
        if type(cell) is str:
            text = cell.strip(SPACES)
            if text in _MISSING:
                return np.nan
            cell = parsed(text)
        elif type(cell) in _NOTHING:
            return np.nan
        if type(cell) is not float and type(cell) is not int:
            return None
        return float(cell) if abs(cell) <= LARGEST_NUMBER or cell != cell else None

    return read


def _labels(column: ColumnType) -> CellReader:
    yes_or_no = dict[str, str]()
    if column.kind == "boolean" and column.truth:
        for label, words in zip(column.truth, (FALSE_WORDS, TRUE_WORDS), strict=True):
            yes_or_no |= dict.fromkeys(words, label)

    def read(cell: Any) -> str | None:
        cell = _plain(cell)
        if type(cell) not in _PLAIN:
            return None
        text = (text_of(cell, column) or "").strip(SPACES)
        if not text or text in column.missing:
            return ""
        if not text.isascii():
            # What is printable is known to this version of Unicode, and a letter or a digit is no space to anybody.
            if not (text.isprintable() and text[0].isalnum() and text[-1].isalnum()):
                return None
            if not unicodedata.is_normalized("NFC", text):
                return None
        elif text[0] <= " " or text[-1] <= " ":
            return None
        return yes_or_no.get(text.casefold()) or column.spelling.get(text, text)

    return read


def _times(column: ColumnType) -> CellReader:
    form = column.date_format or dates.ISO
    number = _numbers(column)
    parsed = None if form == dates.UNIX_SECONDS else dates.text_reader(form)

    def unix(cell: Any) -> float | None:
        value: float | None = number(cell)
        return value if value is not None and abs(value) <= _UNIX and value.is_integer() else None

    def read(cell: Any) -> Any:
        kind = type(cell)
        if kind is str:
            text = cell.strip(SPACES)
            if text in _MISSING:
                return np.nan
            if parsed is None:
                return unix(text)
            return _seconds(found) if (found := parsed(text)) else None
        if kind is datetime:
            return _seconds(cell)
        if kind is pd.Timestamp:
            return None if cell.nanosecond or cell.year not in YEARS else _seconds(cell.to_pydatetime())
        if kind is date:
            return _seconds(datetime(cell.year, cell.month, cell.day))
        if kind is np.datetime64:
            return None if np.isnat(cell) else read(pd.Timestamp(cell))
        if kind in _NOTHING or (kind is float and cell != cell):
            return np.nan
        return unix(cell) if parsed is None else None

    return read


def _seconds(when: datetime) -> float | None:
    if when.year not in YEARS:
        return None
    zone = when.utcoffset()
    if zone is not None:
        if zone % _MINUTE:  # as long ago, when towns had a time of their own: no text tells it
            return None
        when = when.replace(tzinfo=None) - zone
    gap = when - _EPOCH
    return float((gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds) / _SECOND
