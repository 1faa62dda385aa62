"""Text cells read as dates and times."""

from __future__ import annotations

import calendar
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.plain.time_text import YEAR_FIRST
from kd_core.data.types.cells import looks_like_date

_DATE = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y.%m.%d",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d-%b-%Y",
    "%Y年%m月%d日",
)
_TIME = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", "T%H:%M", " %H:%M:%S.%f", "T%H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_SWAP = {"%d/%m/": "%m/%d/", "%m/%d/": "%d/%m/", "%d-%m-": "%m-%d-", "%m-%d-": "%d-%m-"}
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?"
_ISO_TEXT = re.compile(rf"\d{{4}}-\d\d-\d\d(?:[T ]{_CLOCK}(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?)?", re.ASCII).fullmatch
# A year first is read by rules of its own, which other widths of month and day could break.
_WIDTHS = {
    "Y": r"(\d{4})",
    "y": r"(\d\d)",
    "f": r"(\d{1,6})",
    "b": "([A-Za-z]+)",
    "B": "([A-Za-z]+)",
    "p": "([AaPp][Mm])",
}
_RUNNING = ("now", "today")  # pandas reads the clock for these, whatever the format: another value each time
_FIRST_YEAR = np.datetime64("0001-01-01", "us")
UNIX_SECONDS = "unix seconds"
ISO = "ISO 8601"


def read_dates(texts: list[str], form: str) -> npt.NDArray[np.datetime64] | None:
    """Read all texts in one format, or return None when one of them does not fit."""
    values = coerce_dates(texts, form)
    return None if bool(np.isnat(values).any()) else values


def coerce_dates(texts: list[str], form: str) -> npt.NDArray[np.datetime64]:
    """Read texts in one format; what does not fit becomes NaT. Shape: (N,) datetime64[us], UTC where a zone is given."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas warns about mixed zones; NaT is checked by the caller
        if form == UNIX_SECONDS:
            seconds = pd.to_numeric(pd.Series(texts, dtype="object"), errors="coerce")
            found = pd.to_datetime(seconds, unit="s", errors="coerce")
            return _micros(found)
        texts = ["" if text in _RUNNING else text for text in texts] if any(w in texts for w in _RUNNING) else texts
        if form == ISO:
            found = pd.to_datetime(pd.Series(texts), format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)
        else:
            found = pd.to_datetime(pd.Series(texts), format=form, errors="coerce")
    values = _micros(found)
    values[values < _FIRST_YEAR] = np.datetime64("NaT")  # pandas takes "/5" and "-291" for years before the first
    return values


def or_year_first(values: npt.NDArray[np.datetime64], texts: Sequence[str | None]) -> npt.NDArray[np.datetime64]:
    """Give the texts that were no time in their column's format the one that pages and programs write: 2024-03-09, 2024-03-09 12:30.

    No other format can be meant by it. Shape: (N,) each.
    """
    lost = [row for row in np.flatnonzero(np.isnat(values)).tolist() if YEAR_FIRST(texts[row] or "")]
    if lost:
        values = values.copy()
        values[lost] = coerce_dates([texts[row] or "" for row in lost], ISO)
    return values


def _micros(found: pd.Series) -> npt.NDArray[np.datetime64]:
    values: npt.NDArray[np.datetime64] = found.to_numpy().astype("datetime64[us]")
    return values


def find_format(texts: list[str]) -> tuple[str, bool] | None:
    """Find the format of a sample of texts, and whether day and month could be swapped as well.

    Example:
        >>> find_format(["2024-01-31", "2024-02-01"])
        ('%Y-%m-%d', False)
        >>> find_format(["03/04/2024"])
        ('%d/%m/%Y', True)
    """
    if not texts or not all(looks_like_date(t) for t in texts):
        return None
    for time in _TIME:
        for date in _DATE:
            form = date + time
            if read_dates(texts, form) is not None:
                other = next((form.replace(a, b) for a, b in _SWAP.items() if form.startswith(a)), None)
                return form, other is not None and read_dates(texts, other) is not None
    return (ISO, False) if read_dates(texts, ISO) is not None else None


def text_reader(form: str) -> Callable[[str], datetime | None]:
    """Make a reader of one trimmed text in a format other than seconds; None where the text has not its plainest shape.

    What it reads `coerce_dates` reads alike. Shape: of a text with a zone, an aware time.
    """
    if form == ISO:
        return lambda text: _tried(datetime.fromisoformat, text) if _ISO_TEXT(text) else None
    letters, pattern = "", ""
    for literal, letter in re.findall(r"([^%]*)%?(\w?)", form):
        letters += letter
        narrow = r"(\d\d)" if form[:2] == "%Y" or letter in "HIMS" else r"(\d{1,2})"
        pattern += re.escape(literal) + (_WIDTHS.get(letter, narrow) if letter else "")
    fits = re.compile(pattern, re.ASCII).fullmatch
    names = {"b": _numbered(calendar.month_abbr), "B": _numbered(calendar.month_name)}

    def made(text: str) -> datetime | None:
        if not (match := fits(text)):
            return None
        told = dict(zip(letters, match.groups(), strict=True))
        afternoon = told.pop("p", "").lower()
        name, month = next(((n, names[n].get(told.pop(n).lower(), 0)) for n in names if n in told), ("", 0))
        micro = int(told.pop("f", "0").ljust(6, "0"))
        part = {letter: int(digits) for letter, digits in told.items()}
        year = part["Y"] if "Y" in part else part["y"] + (2000 if part["y"] <= 68 else 1900)
        hour = part.get("H", 0)
        if afternoon:
            if not 1 <= part["I"] <= 12:
                return None
            hour = part["I"] % 12 + 12 * (afternoon == "pm")
        when = (hour, part.get("M", 0), part.get("S", 0), micro)
        return datetime(year, month if name else part["m"], part["d"], *when)  # as written

    return lambda text: _tried(made, text)


def write_date(when: datetime, form: str) -> str:
    """Write a time in a format so that it is read as the same.

    Example:
        >>> write_date(datetime(2024, 3, 9), "%d.%m.%Y")
        '09.03.2024'
    """
    if form == UNIX_SECONDS:
        return str(int(when.replace(tzinfo=UTC).timestamp()))
    if form == ISO:
        return when.isoformat(sep=" ")
    return when.strftime(form.replace("%Y", f"{when.year:04d}"))


def example(form: str) -> str:
    """Write a time in a format, to show the format by it.

    Example:
        >>> example("%d.%m.%Y")
        '29.02.2024'
    """
    return write_date(datetime(2024, 2, 29, 14, 30), form)


def _tried(read: Callable[[str], datetime | None], text: str) -> datetime | None:
    try:
        return read(text)
    except ValueError:  # no such day
        return None


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name.lower(): number for number, name in enumerate(names) if name}
