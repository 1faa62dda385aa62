"""Rows are read with the standard library alone exactly as the engine reads them."""

from __future__ import annotations

import datetime as dt
import json
import math
import random
import sys
import unicodedata
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from kd_core.data.encoding.text_block import TextBlock
from kd_core.data.plain.cell import reader
from kd_core.data.plain.rows import Rows, UnfitRows
from kd_core.data.plain.table_row import features
from kd_core.data.plain.time_text import ISO, UNIX_SECONDS, seconds_as_micros, time_reader
from kd_core.data.plain.topics import Topics
from kd_core.data.types import dates
from kd_core.data.types.base import ColumnType
from kd_core.data.types.numbers import NumberFormat
from kd_core.data.types.raw_rows import write_rules
from kd_core.data.types.row_reader import RowReader
from kd_core.data.types.typed_column import coerce
from kd_core.data.views import VIEWS
from tests.export.tables import ODD, columns, odd_rows

ODD_ROWS = 10_000
MORE = [
    *(
        "+1e5",
        "1e-400",
        "1E+05",
        ".",
        "1.",
        ".5",
        "1.234.567,8",
        "1'234.5",
        "12 345,6",
        "1\u202f234",
        "\u00a07\u00a0",
        "∞",
        "-inf",
        "１２",
    ),
    *(
        "2024-2-9",
        "2024-02-30",
        "29.02.2023",
        "1.1.2024",
        "01/02/2024",
        "２０２４-01-05",
        "2024-01-05T10:00:60",
        "20240105",
        "2024",
        "2024-01",
    ),
    *("2024-01-05 10:00+02:30", "1700000000.5", "-1700000000", "9.3e12", "99999999999999999999", "now", "today"),
    *(
        "TRUE",
        "tRuE",
        "On",
        "off",
        "是",
        "否",
        "1.0",
        "Null",
        "n/a",
        "<NA>",
        "n.a.",
        "—",
        "\x1cred\x1f",
        "\u2003red\u3000",
        "red\u200b",
        "re\u0301d",
    ),
    *(
        Decimal("3.50"),
        dt.timedelta(minutes=3),
        10**400,
        -(10**400),
        2**60,
        np.float16(1.5),
        np.bool_(True),
        np.str_("blue"),
        "\ud800half",
    ),
    *(
        dt.datetime(2024, 3, 1, 12, tzinfo=dt.UTC),
        dt.datetime(1999, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=-5, minutes=-30))),
    ),
]
FORMS = [date + time for date in dates._DATE for time in dates._TIME]
ISO_FORMS = [
    "%Y-%m-%d",
    "%Y%m%d",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y%m%dT%H%M%S",
    "%Y-%m-%d %H:%M+02:00",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m",
    "%Y",
]


def rules_of(types):
    return json.loads(write_rules(types))


def same(one, other):
    if one.dtype == object:
        return one.tolist() == other.tolist()
    return np.array_equal(one, other, equal_nan=True)


@pytest.mark.slow
def test_ten_thousand_odd_rows_are_read_as_the_engine_reads_them():
    _, types, told = columns()
    types = {
        **types,
        "unix": ColumnType("datetime", date_format=UNIX_SECONDS),
        "iso": ColumnType("datetime", date_format=ISO),
    }
    types |= {
        "spelt": ColumnType("boolean", spelling={"j": "ja", "J": "ja"}, truth=("nein", "ja"), missing=("?", "NA"))
    }
    types |= {
        "thousands": ColumnType("number", NumberFormat(".", thousands=True)),
        "half": ColumnType("category", NumberFormat(","), codes=True),
    }
    told = {
        **told,
        "unix": ["1700000000"],
        "iso": ["2024-01-05T10:00:00Z"],
        "spelt": ["j", "nein"],
        "thousands": ["1,234"],
        "half": ["1,5"],
    }
    told = {name: [cells[i % len(cells)] for i in range(400)] for name, cells in told.items()}
    rng = random.Random(4)
    rows = odd_rows(told, ODD_ROWS)
    for row in rows[::2]:
        row[rng.choice(list(types))] = rng.choice(MORE)
    wanted, _ = RowReader(types).read(rows)
    found, said = Rows(rules_of(types)).read(rows)
    for name in types:
        apart = [
            (row[name], a, b)
            for row, a, b in zip(rows, found[name][:, 0], wanted[name][:, 0], strict=True)
            if not (a == b or (a != a and b != b))
        ]
        assert not apart, f"{name}: {apart[:5]}"
        assert same(found[name], wanted[name])
    assert any("could not be read as a number" in one for one in said)


@pytest.mark.parametrize("kind", ["number", "category", "datetime", "boolean", "text"])
def test_an_odd_cell_is_read_alone_as_the_engine_reads_it(kind):
    column = ColumnType(kind, missing=("?",), truth=("no", "yes") if kind == "boolean" else ())
    # Seven digits: among other texts pandas then keeps nanoseconds of all, which end in 2262
    for cell in [*ODD, *MORE, "2024-01-05T10:00:00.1234567Z"]:
        (wanted,) = RowReader({"c": column}).read([{"c": cell}])[0]["c"][:, 0]
        found = reader(rules_of({"c": column})["c"])(cell)
        assert found == wanted or (found != found and wanted != wanted), (cell, found, wanted)


def test_texts_are_trimmed_alike_at_every_letter():
    letters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    known = [letter for letter in letters if unicodedata.category(letter) != "Cn"]  # a later Unicode may know more
    trimmed = pc.utf8_trim_whitespace(pa.array([f"{letter}a{letter}" for letter in known])).to_pylist()
    apart = [
        hex(ord(letter)) for letter, text in zip(known, trimmed, strict=True) if f"{letter}a{letter}".strip() != text
    ]
    assert apart == []


def damaged(rng, text):
    letters = list(text)
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        at, how = rng.randrange(len(letters) or 1), rng.random()
        new = rng.choice("0123456789-:/. T+Z,apmAM年２")
        if how < 0.4:
            letters[at : at + 1] = [new]
        elif how < 0.6:
            letters.insert(at, new)
        else:
            del letters[at : at + 1]
    return "".join(letters).strip()


@pytest.mark.slow
@pytest.mark.parametrize("first", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 3))])
def test_times_in_any_format_are_read_as_pandas_reads_them(first):
    rng, looked_at = random.Random(first), 0
    for form in [*FORMS[first::4], *[ISO] * 10]:
        for _ in range(40):
            year = rng.randrange(1970, 2030) if rng.random() < 0.5 else rng.randrange(1, 9999)
            when = dt.datetime(
                year,
                rng.randrange(1, 13),
                rng.randrange(1, 29),
                rng.randrange(24),
                rng.randrange(60),
                rng.randrange(60),
            )
            text = damaged(rng, when.strftime(rng.choice(ISO_FORMS) if form == ISO else form))
            (value,) = dates.coerce_dates([text], form)
            wanted = None if np.isnat(value) else int(value.astype(np.int64))
            assert time_reader(form)(text) == wanted, (form, text)
            looked_at += wanted is not None
    assert looked_at > 300


@pytest.mark.parametrize("form", [ISO, UNIX_SECONDS, "%d.%m.%Y", "%Y-%m-%d %H:%M", "%m/%d/%y %I:%M %p"])
def test_a_time_with_its_year_first_is_read_whatever_the_format(form):
    rng, column = random.Random(form), ColumnType("datetime", date_format=form)
    texts = ["2024-03-09", "2024-03-09 12:30", "2024-03-09T23:59:59.25", "2024-02-30", "2024-3-9", "2024-03-09 25:00"]
    texts += [damaged(rng, rng.choice(texts[:3])) for _ in range(200)]
    wanted = coerce(pd.Series(texts), column).to_numpy("datetime64[us]")
    rule = {"kind": "datetime", "date_format": form}
    for text, value in zip(texts, wanted, strict=True):
        found = reader(rule)(text)
        assert math.isnan(found) if np.isnat(value) else found == value.astype(np.int64) / 1e6, (form, text)
    assert [str(v)[:16] for v in wanted[:2]] == ["2024-03-09T00:00", "2024-03-09T12:30"] and np.isnat(wanted[3])


def test_seconds_since_1970_are_read_as_pandas_reads_them():
    rng = random.Random(0)
    values = [
        0.0,
        -0.0,
        1.5,
        -1.5000004,
        9.3e9,
        1e18,
        float("nan"),
        *(rng.uniform(-9e9, 9e9) for _ in range(300)),
        *(rng.uniform(-2, 2) for _ in range(300)),
    ]
    for value in values:
        (found,) = dates.coerce_dates([str(np.float64(value))], UNIX_SECONDS)
        assert seconds_as_micros(value) == (None if np.isnat(found) else int(found.astype(np.int64))), value


@pytest.mark.parametrize("spaced", [True, False])
def test_topics_of_a_text_are_those_of_the_engine(spaced):
    rng = random.Random(1)
    words = ["good", "bag", "late", "a", "shape", "Größe", "it's"] if spaced else list("这个包很好看质量不错物流快")
    texts = [(" " if spaced else "").join(rng.choices(words, k=12)) for _ in range(200)]
    block = TextBlock("words", 6, 0)
    block.fit(pd.Series(texts, dtype="str"), np.zeros(200), "", None)
    assert block.spaced == spaced
    odd = ["", " ", "never met", texts[0].upper(), "  two   spaces  ", "a", "x" * 500, "İstanbul ẞ", *texts[:30]]
    wanted = np.concatenate([block.transform(pd.Series([text], dtype="str")) for text in odd]).astype(np.float32)
    learned = {name: value for name, value in vars(block).items() if name[0] != "_"}
    assert np.array_equal(Topics(learned).encode(odd), wanted)


def test_a_table_is_encoded_as_the_engine_encodes_it():
    frame, types, told = columns()
    types = {name: column for name, column in types.items() if column.kind != "text"}
    for task, y in (("binary", np.arange(400) % 2), ("regression", np.arange(400.0))):
        view = VIEWS.get("table").make(types, task, 0)
        view.fit(frame[list(types)], y, None)
        rows = [{name: row[name] for name in types} for row in odd_rows(told, 500)]
        blocks = {name: vars(block) for name, block in view.blocks.items()}
        given, _ = Rows(rules_of(types)).read(rows)
        wanted, _ = view.read(rows)
        found = features(blocks, Rows(rules_of(types)).rules, given)
        assert found.dtype == np.float32 and np.abs(found - wanted).max() <= 1e-6


def test_rows_that_do_not_fit_are_refused_with_a_reason():
    rows = Rows({"a": {}, "b": {"kind": "category"}})
    for bad, why in (
        ([{"a": 1}], r"Row 1: 1 column is missing: b. Given: a"),
        ([{"a": 1, "b": "x"}, [1]], "Row 2 is neither a dict by column name nor a list of 2 values: a, b"),
        (["ab"], "Row 1 is neither a dict"),
        ([{"a": [1], "b": "x"}], "Row 1 holds a list under 'a'"),
    ):
        with pytest.raises(UnfitRows, match=why):
            rows.read(bad)
    found, said = rows.read([{"a": "7", "b": " x ", "c": 1}, [8, None]])
    assert found["a"].tolist() == [[7.0], [8.0]] and found["b"].tolist() == [["x"], [""]]
    assert said == ("1 column is not used: c",)
    assert rows.read({"a": 1, "b": 2})[0]["b"].tolist() == [["2"]]
