"""Raw rows are read by the rules that the run's file decided, each value alone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from kd_core.data.types.base import ColumnType
from kd_core.data.types.raw_rows import read_rules, typed_rows, write_rules
from kd_core.data.types.typed_column import coerce, understand
from kd_core.errors import DataError

TEXTS = {
    "plain numbers": ["1", "-2.5", " 3e2 ", "NA", "", "inf", "1e300", "oops"] + ["7.25"] * 40,
    "decimal comma": ["1,5", "-2,25", "1.234,5", "?", "12.345"] + ["7,25"] * 20,
    "thousands": ["1,234.5", "12,345", "-1,000", "n/a"] + ["7"] * 20,
    "codes": ["17850.0", "17851", "NA", "17852.0"] * 40,
    "flags of 0 and 1": ["0", "1", "1", ""] * 10,
    "yes and no": ["yes", "no", "Yes", " no", "?"] * 10,
    "TRUE and FALSE": ["TRUE", "FALSE", "True", None] * 10,
    "labels": ["a", " a", "cafe\u0301", "caf\u00e9", "?", "NA", ""] * 10,
    "day first": ["31/01/2024", "02/03/2024", "", "NA"] * 10,
    "month first": ["01/31/2024", "02/03/2024", None, "x"] + ["05/06/2024"] * 80,
    "with times": ["2024-01-31 10:00", " 2024-02-01 23:59"] * 10,
    "zones": ["2024-01-31T10:00:00+02:00", "2024-01-31T10:00:00Z"] * 10,
    "free text": [f"the {w} bag was late again {i}" for i, w in enumerate(["red", " blue ", "green"] * 20)],
}


def column(cells, name="CustomerID", **how):
    return understand(pd.Series(cells, dtype="str"), name, **how)


def plain(values):
    return [None if pd.isna(v) else v for v in values.tolist()]


@pytest.mark.parametrize("cells", TEXTS.values(), ids=TEXTS)
def test_a_cell_of_the_file_is_read_alone_as_it_was_in_the_file(cells):
    found = column(cells)
    assert found.why_dropped is None
    known = read_rules(write_rules({"x": found.type}))["x"]
    assert known == found.type
    alone = [typed_rows([{"x": cell}], {"x": known})[0]["x"].tolist()[0] for cell in cells]
    assert [None if pd.isna(v) else v for v in alone] == plain(found.values)
    together, *_ = typed_rows([[cell] for cell in cells], {"x": known})
    assert plain(together["x"]) == plain(found.values)


def read(values, known):
    """Read each value alone and all of them together: that must be the same."""
    alone = [plain(coerce(pd.Series([v], dtype="object"), known))[0] for v in values]
    assert plain(coerce(pd.Series(values, dtype="object"), known)) == alone
    return alone


@pytest.mark.parametrize(
    ("cells", "values", "expected"),
    [
        # True reads like TRUE of the file; in other letters, too
        (
            ["TRUE", "FALSE"] * 20,
            [True, False, np.True_, "true", "x", None],
            ["TRUE", "FALSE", "TRUE", "TRUE", "x", None],
        ),
        (["no", "yes"] * 20, [True, 0, "Y", "1.0"], ["yes", "no", "yes", "yes"]),
        (["0", "1"] * 20, [True, False, 1, 0.0, "1", "yes"], ["1", "0", "1", "0", "1", None]),
        (["True", "false", "perhaps"] * 20, [True, False, "TRUE"], ["True", "false", "TRUE"]),
        # numbers are what they are, whatever sign the file writes; texts are read by its sign
        (
            ["1,5", "2,5"] * 20,
            [1.125, "1,125", "1.125", Decimal("0.1"), np.float32(0.5), True],
            [1.125, 1.125, 1125.0, 0.1, 0.5, None],
        ),
        (["1.5", "2"] * 20, [1e-7, 10**400, -(2**70), float("inf"), "1,5"], [1e-7, None, -(2.0**70), None, None]),
        (["1.5", "2"] * 20, [dt.timedelta(minutes=1), dt.date(2024, 1, 1), pd.NA, pd.NaT], [60.0, None, None, None]),
        (["3", "7", "9"] * 40, [3, 7.0, "9.0", 4.5, None], ["3", "7", "9", "4.5", None]),
        (["a", "7", "b"] * 40, [7, 7.0, "7.0", 7.5, ""], ["7", "7", "7.0", "7.5", None]),
        (
            ["31/01/2024", "02/03/2024"] * 20,
            ["02/03/2024", dt.date(2024, 3, 2), pd.Timestamp("2024-03-02 05:00"), 20240302, "2024-3-2"],
            [pd.Timestamp("2024-03-02")] * 2 + [pd.Timestamp("2024-03-02 05:00"), None, None],
        ),
        (
            ["31/01/2024", "02/03/2024"] * 20,
            ["2024-03-02", " 2024-03-02 05:00", "2024-03-02T05:00:00.5", "2024-03-02T05:00Z", "2024-02-30"],
            [pd.Timestamp(f"2024-03-02{clock}") for clock in ("", " 05:00", " 05:00:00.5")] + [None, None],
        ),
        (
            ["2024-01-31T10:00:00Z"] * 10 + ["2024-01-31T11:00:00Z"] * 10,
            [
                pd.Timestamp("2024-01-31 12:00", tz="Europe/Berlin"),
                "2024-01-31T12:00:00+01:00",
                np.datetime64("2024-01-31T11:00"),
            ],
            [pd.Timestamp("2024-01-31 11:00")] * 3,
        ),
    ],
)
def test_values_of_any_kind_are_read(cells, values, expected):
    found = column(cells, "zip_code" if cells[0] == "3" else "x")
    assert read(values, found.type) == expected


def test_seconds_of_unix_are_times_however_they_are_given():
    found = column(["1700000000", "1700000060.5"] * 20, kind="datetime")
    whole = pd.Timestamp(1700000000, unit="s")
    assert read([1700000000, "1700000000", 1.7e9, whole, "x"], found.type) == [whole] * 4 + [None]


def test_times_with_a_zone_are_read_as_the_file_reader_does():
    zoned = pd.Series(pd.to_datetime(["2024-01-31 12:00", "2024-02-01 00:30"]).tz_localize("Europe/Berlin"))
    assert plain(coerce(zoned, ColumnType("datetime"))) == plain(understand(zoned, "x").values)


def test_numbers_set_to_labels_are_written_as_they_were():
    found = understand(pd.Series([0.5, 2.0, 0.5] * 20), "x", "category")
    assert read([0.5, 2, "2.0", None], found.type) == ["0.5", "2.0", "2.0", None]


@pytest.mark.parametrize(
    "rows", [{"a": "1", "b": "x"}, [{"b": "x", "a": 1}], [[1, "x"]], [("1", "x")], pd.DataFrame({"b": ["x"], "a": [1]})]
)
def test_rows_come_as_dicts_lists_or_a_frame(rows):
    frame, extra, _ = typed_rows(rows, {"a": ColumnType("number"), "b": ColumnType("category")})
    assert frame.columns.tolist() == ["a", "b"] and extra == () and frame["a"].tolist() == [1.0]
    assert frame["b"].tolist() == ["x"]


def test_columns_that_are_not_used_are_told_and_missing_ones_named():
    types = {"a": ColumnType("number"), "b": ColumnType("category")}
    frame, extra, _ = typed_rows([{"a": 1, "b": None, "id": 7}, {"a": 2, "b": "x", "note": ""}], types)
    assert extra == ("id", "note") and len(frame) == 2
    for rows in ([{"a": 1}], pd.DataFrame({"a": [1]}), [{"a": 1, "b": 2}, {"a": 1}]):
        with pytest.raises(
            DataError, match=r"(column is|columns are) missing: b\. Given: a\. Give every column"
        ) as caught:
            typed_rows(rows, types)
        assert caught.value.code == "columns_missing"
    assert caught.value.message.startswith("Row 2: 1 column is missing")
    assert len(typed_rows([], types)[0]) == 0


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ([1], "1 value"),
        ([1, 2, 3], "3 values"),
        ("ab", "1 value"),
        (b"ab", "1 value"),
        (7, "1 value"),
        (None, "1 value"),
    ],
)
def test_a_list_of_another_width_is_refused(row, found):
    types = {"a": ColumnType("number"), "b": ColumnType("category")}
    with pytest.raises(DataError, match=rf"Row 2 has {found}; .* list of 2 values.*order: a, b") as caught:
        typed_rows([[1, "x"], row], types)
    assert caught.value.code == "row_width"


@pytest.mark.parametrize("rows", [None, 7, "ab", [1, "x"]])
def test_what_holds_no_rows_is_refused(rows):
    types = {"a": ColumnType("number"), "b": ColumnType("category")}
    with pytest.raises(DataError, match=r"Row 1 has 1 value; .* One row alone is a list in a list"):
        typed_rows(rows, types)


def test_rows_of_a_data_frame_are_read_by_their_names():
    types = {"a": ColumnType("number"), "b": ColumnType("category")}
    other = pd.DataFrame({"b": ["x", "y"], "a": [1, 2]})
    assert typed_rows(other.iloc[1], types)[0].values.tolist() == [[2.0, "y"]]
    assert typed_rows([row for _, row in other.iterrows()], types)[0]["a"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("cell", [[1, 2], (1,), np.array([1, 2]), {"x": 1}, pd.Series([1])])
def test_a_cell_of_many_values_is_refused(cell):
    types = {"a": ColumnType("number"), "b": ColumnType("category")}
    for rows in ({"a": cell, "b": "x"}, [[cell, "x"]]):
        with pytest.raises(
            DataError, match=rf"Row 1 holds a {type(cell).__name__} under 'a'; .* Give one dict a row"
        ) as caught:
            typed_rows(rows, types)
        assert caught.value.code == "cell_of_many"


def test_a_column_given_twice_is_refused():
    with pytest.raises(DataError, match=r"1 column is given more than once: a\. Keep one") as caught:
        typed_rows(pd.DataFrame([[1, 2]], columns=["a", "a"]), {"a": ColumnType("number")})
    assert caught.value.code == "columns_twice"


def test_values_that_do_not_fit_are_told():
    types = {
        "a": ColumnType("number"),
        "day": ColumnType("datetime", date_format="%d.%m.%Y"),
        "code": ColumnType("category", codes=True),
        "word": ColumnType("category"),
    }
    row = {"a": 1, "day": "01.02.2024", "code": 3, "word": "x"}
    blank = [dict.fromkeys(row), dict.fromkeys(row, " "), dict.fromkeys(row, "n/a"), dict.fromkeys(row, np.nan)]
    assert typed_rows([row, *blank, dict.fromkeys(row, pd.NaT)], types)[2] == ()
    odd = [row, {**row, "a": "1,5", "day": "02/01/2024"}, {**row, "a": float("inf"), "code": "z" * 100}]
    assert typed_rows(odd, types)[2] == (
        "2 values of a could not be read as a number and counted as missing: rows 2, 3, first '1,5'.",
        "1 value of day could not be read as a time written like 29.02.2024 and counted as missing: row 2, '02/01/2024'.",
        f"1 value of code could not be read as a number and counted as missing: row 3, '{'z' * 60}'.",
    )


def test_half_a_character_is_read_as_an_unknown_one():
    frame, *_ = typed_rows([{"a": "x\ud800"}, {"a": None}], {"a": ColumnType("category")})
    assert plain(frame["a"]) == ["x?", None]
