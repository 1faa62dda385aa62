"""One cell read by the rules of its column, whatever it holds: what `types/typed_column.coerce` makes of it, without pandas.

Numbers, codes and times become float, NaN where missing (times: seconds since 1970 UTC); labels and texts become text, empty where
missing. Rules are plain values, as `types/raw_rows.write_rules` writes them.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from kd_core.data.plain.number_text import NumberFormat, text_reader
from kd_core.data.plain.time_text import ISO, UNIX_SECONDS, YEAR_FIRST, seconds_as_micros, time_reader
from kd_core.data.types.cells import MISSING_WORDS
from kd_core.limits import LARGEST_NUMBER

Read = Callable[[Any], Any]
TRUE_WORDS = frozenset({"true", "yes", "y", "t", "1", "1.0", "是", "on"})
FALSE_WORDS = frozenset({"false", "no", "n", "f", "0", "0.0", "否", "off"})
_MISSING = frozenset(MISSING_WORDS)
_NOTHING = ("NAType", "NaTType")  # pandas' own words for it, where somebody brings them


def is_number(rule: Mapping[str, Any]) -> bool:
    """Say whether a column holds numbers, or labels that are numbers."""
    return rule.get("kind", "number") == "number" or bool(rule.get("codes"))


def reader(rule: Mapping[str, Any]) -> Read:
    """Make the reader of a column's cells."""
    if rule.get("kind", "number") == "datetime":
        return _times(rule)
    return _numbers(rule) if is_number(rule) else _labels(rule)


def plain(cell: Any) -> Any:
    """Turn numpy's own values into Python's, and every word of a library for nothing into None."""
    if isinstance(cell, np.datetime64):
        return None if np.isnat(cell) else cell.astype("datetime64[us]").item()
    if isinstance(cell, np.generic):
        cell = cell.item()
    return None if cell is None or type(cell).__name__ in _NOTHING else cell


def _text(cell: Any, rule: Mapping[str, Any]) -> str:
    """Write one value as the column's file would; nothing where it is missing."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str((rule.get("truth") or ("False", "True"))[cell])
    if isinstance(cell, timedelta):
        cell = cell.total_seconds()
    if isinstance(cell, float | Decimal):
        number = float(cell)
        if math.isnan(number):
            return ""
        whole = number.is_integer() and abs(number) < 2**53
        return (str(int(number)) if whole else repr(number)).replace(".", _format(rule).decimal)
    if isinstance(cell, date):
        cell = cell.isoformat() if isinstance(cell, datetime) else f"{cell.isoformat()}T00:00:00"
    return str(cell).encode("utf-8", "replace").decode()  # JSON can hold half of a character


def _format(rule: Mapping[str, Any]) -> NumberFormat:
    return NumberFormat(**rule.get("number", {}))


def _numbers(rule: Mapping[str, Any]) -> Callable[[Any], float]:
    parsed = text_reader(_format(rule))

    def read(cell: Any) -> float:
        cell = plain(cell)
        if isinstance(cell, bool) or not isinstance(cell, int | float):
            text = _text(cell, rule).strip()
            cell = None if text in _MISSING else parsed(text)
        try:
            number = math.nan if cell is None else float(cell)
        except OverflowError:  # a whole number of hundreds of digits
            return math.nan
        return number if abs(number) <= LARGEST_NUMBER else math.nan

    return read


def _labels(rule: Mapping[str, Any]) -> Callable[[Any], str]:
    missing, known = frozenset(rule.get("missing", ())), dict(rule.get("spelling", {}))
    yes_or_no = dict[str, str]()
    if rule["kind"] == "boolean" and rule.get("truth"):
        for label, words in zip(rule["truth"], (FALSE_WORDS, TRUE_WORDS), strict=True):
            yes_or_no |= dict.fromkeys(words, label)

    def read(cell: Any) -> str:
        text = unicodedata.normalize("NFC", _text(plain(cell), rule).strip())
        if not text or text in missing:
            return ""
        return yes_or_no.get(text.casefold()) or known.get(text, text)

    return read


def _times(rule: Mapping[str, Any]) -> Callable[[Any], float]:
    form = rule.get("date_format") or ISO
    number, iso = _numbers(rule), time_reader(ISO)
    parsed = time_reader(form) if form != UNIX_SECONDS else None

    def read(cell: Any) -> float:
        cell = plain(cell)
        if isinstance(cell, date):
            micros = iso(_text(cell, rule))
        else:
            text = _text(cell, rule).strip()
            micros = seconds_as_micros(number(cell)) if parsed is None else parsed(text)
            micros = iso(text) if micros is None and YEAR_FIRST(text) else micros
        return math.nan if micros is None else micros / 1e6

    return read
