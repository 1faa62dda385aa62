"""Workbooks are read with the cells' own types."""

import datetime as dt

import openpyxl
import pytest

from kd_core.data.files.reading import read_table


@pytest.mark.slow
def test_types_blank_rows_and_a_wide_row(tmp_path):
    book = openpyxl.Workbook()
    rows = [
        [],
        ["n", "x", "s", "day", "flag", "mixed"],
        [1, 1.5, "NA", dt.datetime(2024, 1, 2), True, 1],
        [],
        [2, 2, None, dt.datetime(2024, 1, 3), False, "a", "more"],
    ]
    for row in rows:
        book.active.append(row)
    path = tmp_path / "t.xlsx"
    book.save(path)
    table = read_table(path)
    kinds = {name: str(kind) for name, kind in table.frame.dtypes.items()}
    assert kinds["n"] == "int64" and kinds["x"] == "float64" and kinds["s"] == kinds["mixed"] == "str"
    assert kinds["flag"] == "bool" and kinds["day"].startswith("datetime64")
    assert table.frame["column_7"].tolist()[1] == "more" and table.frame["s"][0] == "NA"
    messages = [p.message for p in table.problems]
    assert "The table begins in row 2 of the sheet." in messages
    assert "1 blank row was skipped." in messages
    assert "Column 'mixed' mixes number, text; it was read as text." in messages
    assert table.members == ("Sheet",) and table.understood == {"format": "Excel", "sheet": "Sheet"}


@pytest.mark.slow
def test_twenty_thousand_rows(tmp_path):
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("t")
    sheet.append(["a", "b"])
    for i in range(20_000):
        sheet.append([i, f"row {i}"])
    book.save(tmp_path / "t.xlsx")
    assert read_table(tmp_path / "t.xlsx").frame.shape == (20_000, 2)
