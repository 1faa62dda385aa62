"""Texts read as times in one format, to the microsecond, as pandas reads them.

Source: pandas 3, `array_strptime` and its ISO 8601 parser (np_datetime_strings.c); a law compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

UNIX_SECONDS = "unix seconds"
ISO = "ISO 8601"
_DAY = 86_400_000_000  # microseconds
_EPOCH = date(1970, 1, 1).toordinal()
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_NS_YEARS = range(1678, 2262)  # of times told to the nanosecond
_TAKES = {
    "d": r"(?P<d>3[0-1]|[1-2]\d|0[1-9]|[1-9]| [1-9])",
    "f": r"(?P<f>[0-9]{1,9})",
    "H": r"(?P<H>2[0-3]|[0-1]\d|\d)",
    "I": r"(?P<I>1[0-2]|0[1-9]|[1-9])",
    "m": r"(?P<m>1[0-2]|0[1-9]|[1-9])",
    "M": r"(?P<M>[0-5]\d|\d)",
    "S": r"(?P<S>6[0-1]|[0-5]\d|\d)",
    "y": r"(?P<y>\d\d)",
    "Y": r"(?P<Y>\d\d\d\d)",
    "p": "(?P<p>am|pm)",
    "b": f"(?P<b>{'|'.join(_MONTHS)})",
    "B": f"(?P<B>{'|'.join(sorted(_LONG, key=len, reverse=True))})",
}
_DATE = re.compile(r"(\d{4})(?:$|([-./\\ ])(\d\d?)(?:$|\2(\d\d?)))|(\d{4})(\d\d)(\d\d)", re.ASCII).match
YEAR_FIRST = re.compile(  # as pages and programs write times: read whatever the column's own format is
    r"\d{4}-\d\d-\d\d(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?)?", re.ASCII
).fullmatch
_CLOCK = re.compile(
    r"[T ](?:(\d\d?):(\d\d?)(?::(\d\d?)(?:\.(\d{0,18}))?)?|(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{0,18}))?)?)?)"
    r"[ \t]*(?:Z|([+-])(\d\d?)(?::?(\d\d?))?)?",
    re.ASCII,
).fullmatch


def time_reader(form: str) -> Callable[[str], int | None]:
    """Make a reader of one trimmed text: microseconds since 1970 UTC, None where it is no time in the format."""
    if form == ISO:
        return _iso
    pattern = "".join(
        re.escape(literal) + _TAKES.get(letter, "") for literal, letter in re.findall(r"([^%]*)%?(\w?)", form)
    )
    fits = re.compile(re.sub(r"(?:\\[ ])+| +", r"\\s+", pattern), re.IGNORECASE).fullmatch

    def read(text: str) -> int | None:
        if not (found := fits(text)):
            return None
        told = {letter: part for letter, part in found.groupdict().items() if part is not None}
        year = int(told["Y"]) if "Y" in told else int(told["y"]) + (2000 if int(told["y"]) <= 68 else 1900)
        name = told.get("b") or told.get("B")
        month = 1 + _MONTHS.index(name[:3].lower()) if name else int(told["m"])
        hour = int(told.get("H", 0))
        if "p" in told:
            hour = int(told["I"]) % 12 + 12 * (told["p"].lower() == "pm")
        return _micros(
            year, month, int(told["d"]), (hour, int(told.get("M", 0)), int(told.get("S", 0)), told.get("f", ""))
        )

    return read


def seconds_as_micros(seconds: float) -> int | None:
    """Read seconds since 1970; None where they are no time that can be held."""
    if seconds != seconds or abs(seconds) >= 2**63 / 1e6:
        return None
    if seconds.is_integer():
        return int(seconds) * 1_000_000
    whole = int(seconds)
    nanos = whole * 1_000_000_000 + int(round(seconds - whole, 9) * 1e9)
    return nanos // 1000 if abs(nanos) < 2**63 else None


def _iso(text: str) -> int | None:
    if not (found := _DATE(text)):
        return None
    part = found.groups()
    year, month, day = part[4:] if part[4] else (part[0], part[2], part[3])
    rest, clock, shift = text[found.end() :], (0, 0, 0, ""), 0
    if rest:
        if not (told := _CLOCK(rest)):
            return None
        clocks, (sign, hours, minutes) = told.groups()[:8], told.groups()[8:]
        hour, minute, second, fraction = clocks[:4] if clocks[0] else clocks[4:]
        clock = (int(hour), int(minute or 0), int(second or 0), fraction or "")
        if clock[0] > 23 or max(clock[1:3]) > 59 or int(hours or 0) > 23 or int(minutes or 0) > 59:
            return None
        shift = (int(hours or 0) * 60 + int(minutes or 0)) * 60_000_000 * (-1 if sign == "-" else 1)
    micros = _micros(int(year), int(month or 1), int(day or 1), clock)
    return None if micros is None else micros - shift


def _micros(year: int, month: int, day: int, when: tuple[int, int, int, str]) -> int | None:
    hour, minute, second, fraction = when
    try:
        days = date(year, month, day).toordinal() - _EPOCH
    except ValueError:  # no such day, or a year 0
        return None
    if len(fraction) > 6 and year not in _NS_YEARS:
        return None
    clock = (hour * 60 + minute) * 60 + second
    return days * _DAY + clock * 1_000_000 + int(fraction[:6].ljust(6, "0"))
