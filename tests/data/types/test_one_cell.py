"""A cell read alone is read to the same bits as in a column, or goes the long way: generated cells, odd ones among them."""

from __future__ import annotations

import datetime as dt
import random
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from kd_core.data.types import dates
from kd_core.data.types.base import ColumnType
from kd_core.data.types.cells import MISSING_WORDS, kind_of
from kd_core.data.types.numbers import NumberFormat
from kd_core.data.types.one_cell import cell_reader
from kd_core.data.types.typed_column import coerce, coerce_numbers
from tests.export.tables import ODD

SIGNS = "0123456789-/:. TZ+apmAPJeE,;éé日\u0661\u00a0\u3000\x1c\x00\n\t'’"
YEARS = (1, 99, 1000, 1677, 1678, 1899, 1968, 1969, 1970, 1999, 2000, 2024, 2068, 2069, 2261, 2262, 9999)
ZONES = [
    None,
    dt.UTC,
    dt.timezone(dt.timedelta(hours=-3, minutes=-30)),
    *map(ZoneInfo, ("Europe/Berlin", "America/New_York")),
]
FORMS = [date + time for date in dates._DATE for time in dates._TIME]
ISO_FORMS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S+05:30"]


def spoilt(text, rng):
    """Change a text here and there, or leave it."""
    signs = list(text)
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2])):
        at, way = rng.randrange(len(signs) + 1), rng.random()
        if way < 0.6:
            signs.insert(at, rng.choice(SIGNS))
        elif signs:
            signs[at % len(signs)] = rng.choice(SIGNS) if way < 0.8 else ""
    return "".join(signs)


def a_time(rng):
    seconds = rng.randrange(364 * 86_400)
    return dt.datetime(rng.choice(YEARS), 1, 1) + dt.timedelta(
        seconds=seconds, microseconds=rng.choice([0, 0, 1, 123456])
    )


def a_date_cell(form, rng):
    when = a_time(rng)
    way = rng.random()
    if way < 0.6:
        text = when.strftime(rng.choice(ISO_FORMS) if form == dates.ISO else rng.choice([form] * 9 + FORMS))
        if rng.random() < 0.2:
            text = rng.choice([text.upper(), text.lower(), text.replace("/0", "/").lstrip("0"), f" {text} "])
        return spoilt(text, rng)
    if way < 0.7:
        return when.replace(tzinfo=rng.choice(ZONES), fold=rng.randrange(2))
    if way < 0.75:
        return when.date()
    if way < 0.9:
        whole = pd.Timestamp(when).tz_localize(rng.choice(ZONES[:3]))
        return whole + pd.Timedelta(1, "ns") if 1700 < when.year < 2200 and rng.random() < 0.2 else whole
    return np.datetime64(when, rng.choice(["D", "s", "ms", "us"]))


def a_number_cell(column, rng):
    value = rng.choice([rng.gauss(0, 100), rng.randrange(10**7), 0, -0.0, rng.random() * 1e-6, 1e25])
    way = rng.random()
    if way < 0.2:
        return rng.choice([value, np.float64(value), np.float32(value), np.int64(int(value) % 999), value > 0])
    text = f"{value:,.2f}" if rng.random() < 0.5 else repr(value)
    if column.number.decimal == ",":
        text = text.translate({ord(","): ".", ord("."): ","})
    return spoilt(rng.choice(["", "", "+", " "]) + text, rng)


def a_unix_cell(column, rng):
    if rng.random() < 0.3:
        return a_date_cell(dates.ISO, rng)
    value = rng.choice([rng.randrange(-(10**10), 10**10), rng.randrange(10**9), rng.random() * 1e9])
    return rng.choice([value, float(value), str(value), np.int64(value), spoilt(str(value), rng)])


def a_label_cell(column, rng):
    words = ["red", "Red", "yes", "Y", "on", "TRUE", "0", "1.0", "cafe\u0301", "caf\u00e9", "\u4e2d\u6587", "NA", "a b"]
    return rng.choice([spoilt(rng.choice(words), rng), rng.random() < 0.5, rng.randrange(3), rng.random() * 3])


NUMBERS = {
    "plain": ColumnType("number"),
    "comma": ColumnType("number", NumberFormat(",", True)),
    "thousands": ColumnType("number", NumberFormat(".", True)),
    "codes": ColumnType("category", codes=True, whole=True),
    "flags": ColumnType("boolean", codes=True, whole=True, truth=("0", "1")),
}
LABELS = {
    "category": ColumnType("category", missing=("?",), truth=("false", "TRUE")),
    "words for missing": ColumnType("category", missing=MISSING_WORDS),
    "boolean": ColumnType("boolean", spelling={"n": "no", "Y": "yes"}, truth=("no", "yes"), missing=("?",)),
    "text": ColumnType("text"),
}
UNIX = ColumnType("datetime", date_format=dates.UNIX_SECONDS)
CASES = {
    **{f: (ColumnType("datetime", date_format=f), lambda c, rng: a_date_cell(c.date_format, rng)) for f in FORMS},
    "ISO 8601": (ColumnType("datetime"), lambda c, rng: a_date_cell(dates.ISO, rng)),
    "unix": (UNIX, a_unix_cell),
    **{name: (column, a_number_cell) for name, column in NUMBERS.items()},
    **{name: (column, a_label_cell) for name, column in LABELS.items()},
}


def in_a_column(cells, column):
    """Read cells as the engine does: what a row reader makes of each, and which must be told as lost."""
    given = pd.Series(cells, dtype="object")
    if column.kind == "datetime":
        read = coerce(given, column)
        found = np.where(read.isna(), np.nan, read.to_numpy("datetime64[us]").astype(np.int64) / 1_000_000)
    elif column.kind == "number" or column.codes:
        found = coerce_numbers(given, column)
    else:
        return coerce(given, column).astype("object").where(lambda v: v.notna(), "").tolist(), [False] * len(cells)
    odd = np.isnan(found) & given.notna().to_numpy()
    return found.tolist(), [bool(o) and kind_of(str(cell)) != "missing" for o, cell in zip(odd, cells, strict=True)]


def compared(column, cells):
    """Count the cells that were read alone; each of them must equal what the column gives."""
    read, quick = cell_reader(column), 0
    for cell, wanted, lost in zip(cells, *in_a_column(cells, column), strict=True):
        found = read(cell)
        if found is not None:
            quick += 1
            assert type(found) is type(wanted) and not lost, (cell, found)
            assert found == wanted or (found != found and wanted != wanted), (cell, found, wanted)
    return quick


@pytest.mark.parametrize("case", CASES)
def test_a_cell_alone_is_read_as_in_a_column(case):
    column, make = CASES[case]
    rng = random.Random(case)
    cells = [make(column, rng) for _ in range(200)]
    odd = [cell for cell in ODD if cell is pd.NA or cell is pd.NaT or type(cell).__hash__]
    assert compared(column, [*cells, *odd, *MISSING_WORDS]) > 70


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_fifty_thousand_cells(seed):
    rng = random.Random(seed)
    for column, make in CASES.values():
        compared(column, [make(column, rng) for _ in range(70)])


def test_what_a_person_usually_writes_has_a_short_way():
    when = dt.datetime(2024, 2, 29, 13, 5)
    seconds = float((when - dt.datetime(1970, 1, 1)).total_seconds())
    for form in FORMS:
        text = when.strftime(form)
        wanted = seconds if "M" in form else 1709164800.0
        assert cell_reader(ColumnType("datetime", date_format=form))(f" {text} ") == wanted, form
    iso = cell_reader(ColumnType("datetime"))
    berlin = when.replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert iso(when) == iso(pd.Timestamp(when)) == iso(np.datetime64(when)) == iso("2024-02-29T13:05Z") == seconds
    assert iso(berlin) == iso(pd.Timestamp(berlin)) == iso("2024-02-29 13:05:00+01:00") == seconds - 3600
    assert iso(when.date()) == iso("2024-02-29") == 1709164800.0
    assert cell_reader(UNIX)(1709164800) == 1709164800.0
    assert cell_reader(NUMBERS["comma"])("1.234,5") == 1234.5 and cell_reader(NUMBERS["plain"])(np.float32(2.5)) == 2.5
    assert cell_reader(LABELS["boolean"])(True) == cell_reader(LABELS["boolean"])("Yes") == "yes"
    assert cell_reader(LABELS["category"])(False) == "false"
    assert cell_reader(LABELS["text"])("two\nlines, and more ") == "two\nlines, and more"


def test_what_no_text_says_surely_takes_the_long_way():
    iso = cell_reader(ColumnType("datetime"))
    old = dt.datetime(1880, 1, 1, tzinfo=ZoneInfo("Europe/Amsterdam"))  # an offset with seconds
    assert old.utcoffset() % dt.timedelta(minutes=1)
    for cell in (
        old,
        "2024-02-30",
        "oops",
        "2024-1-5",
        dt.datetime(9999, 1, 1),
        5,
        True,
        [1],
        "2024-01-01T00:00:00.1234567",
    ):
        assert iso(cell) is None, cell
    assert (
        cell_reader(ColumnType("number"))("\u0663") is None
    )  # a digit, but not one that a file's number is written in
    assert cell_reader(ColumnType("number"))([1]) is None and cell_reader(LABELS["text"])([1]) is None
    assert cell_reader(LABELS["text"])("cafe\u0301") is None
