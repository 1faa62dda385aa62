"""The caps of the child process, called here in the test's own process so that they can be lowered."""

import openpyxl
import pytest

from kd_core import limits
from kd_core.data.files import workbook
from kd_core.data.files.workbook import extract
from kd_core.errors import DataError


def refusal(tmp_path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(DataError) as error:
        extract(str(tmp_path / "t.xlsx"), None, "auto", str(tmp_path / "t.parquet"), "t.xlsx")
    return error.value


def test_caps(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "ROWS", 3)
    error = refusal(tmp_path, [["a"], [1], [2], [3], [4]])
    assert error.code == "too_many_rows" and error.message == "The sheet has more than 3 rows."
    monkeypatch.setattr(limits, "COLUMNS", 2)
    error = refusal(tmp_path, [["a"], [1, 2, 3]])
    assert error.code == "too_many_columns" and error.message == "The sheet has cells beyond column 2."
    monkeypatch.setattr(limits, "ZIP_TOTAL_BYTES", 2**10)
    error = refusal(tmp_path, [["a"], [1]])
    assert error.code == "unpacks_too_large" and "t.xlsx unpacks to more than 0 MB." in error.message


def test_cells_that_share_a_long_text_are_counted_one_by_one(tmp_path, monkeypatch):
    book, path = openpyxl.Workbook(), tmp_path / "t.xlsx"
    for _ in range(100):
        book.active.append(["x" * 10_000])
    book.save(path)
    monkeypatch.setattr(
        workbook, "_check_parts", lambda *a: None
    )  # openpyxl writes the text a hundred times; others once
    monkeypatch.setattr(limits, "ZIP_TOTAL_BYTES", 900_000)
    with pytest.raises(DataError, match=r"t\.xlsx unpacks to more than 0 MB, the most that is read") as error:
        extract(str(path), None, "auto", str(tmp_path / "out"), "t.xlsx")
    assert error.value.code == "unpacks_too_large"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(22, "Invalid argument"),
            "t.xlsx is incomplete or damaged (a part lies outside the file). Upload it again.",
        ),
        (OSError("Invalid data stream"), "t.xlsx is incomplete or damaged (a packed part is broken). Upload it again."),
    ],
)
def test_a_failed_read_is_told_in_our_words(tmp_path, monkeypatch, error, said):
    def fail(*_):
        raise error

    monkeypatch.setattr(workbook, "_check_parts", fail)
    with pytest.raises(DataError) as raised:
        extract(str(tmp_path / "t.xlsx"), None, "auto", str(tmp_path / "out"), "t.xlsx")
    assert (str(raised.value), raised.value.code) == (said, "incomplete")


def test_a_full_disk_is_no_damage(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workbook, "_check_parts", fail)
    with pytest.raises(OSError, match="No space left"):
        extract(str(tmp_path / "t.xlsx"), None, "auto", str(tmp_path / "out"), "t.xlsx")
