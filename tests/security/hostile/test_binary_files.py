"""Hostile workbooks and Parquet files, and names that try to leave the workspace."""

import io
import zipfile

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from kd_core import limits
from kd_core.data.files import sandbox
from kd_core.data.files.reading import read_table
from kd_core.data.library import DataLibrary
from kd_core.errors import DataError
from kd_core.specs import ReadSpec


def refusal(path, read=None):
    with pytest.raises(DataError) as error:
        read_table(path, read)
    return error.value


def found(table, code):
    return next(p for p in table.problems if p.code == code)


def workbook(tmp_path, sheets, name="book.xlsx"):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    path = tmp_path / name
    book.save(path)
    return path


def rewritten(path, change):
    """Copy a zip with its parts changed: change(name, bytes) -> bytes."""
    with zipfile.ZipFile(path) as old:
        parts = [(name, change(name, old.read(name))) for name in old.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts:
            new.writestr(name, content)
    return path


@pytest.mark.slow
def test_row_38_entity_bomb(tmp_path):
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    path = workbook(tmp_path, {"t": [["a"], [1]]})
    rewritten(path, lambda name, content: bomb + content.split(b"?>", 1)[-1] if "sheet1" in name else content)
    error = refusal(path)
    assert error.code == "xml_entities" and "contains XML entities" in error.message


@pytest.mark.slow
def test_row_39_far_cell(tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"], book.active["A2"] = "a", 1
    book.active["XFD1048576"] = 7
    path = tmp_path / "far.xlsx"
    book.save(path)
    assert path.stat().st_size < 10_000
    error = refusal(path)
    assert error.code == "far_cell" and "blank rows between its cells" in error.message


@pytest.mark.slow
def test_row_40_encrypted_old_macro_sheets_merged(tmp_path):
    path = tmp_path / "locked.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le"))
    assert refusal(path).code == "encrypted" and "password-protected" in refusal(path).message
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600)
    assert refusal(path).code == "old_excel" and "D0 CF 11 E0" in refusal(path).message
    path = workbook(
        tmp_path,
        {
            "first": [["Report 2024", None, None, None], ["a", "b", "c", "d"], [1, 2, 3, 4]],
            "second": [["x"], [1], [2]],
            "third": [],
        },
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\x00")
    table = read_table(path)
    assert table.members == ("first", "second", "third") and table.understood["sheet"] == "first"
    assert "has 3 sheets; 'first' was read. Others: second, third." in found(table, "several_sheets").message
    assert "3 of 4 header cells are empty" in found(table, "merged_header").message
    assert "they were not run" in found(table, "macros").message
    assert read_table(path, ReadSpec(sheet="second")).frame["x"].tolist() == [1, 2]
    error = refusal(path, ReadSpec(sheet="fourth"))
    assert error.code == "no_sheet" and "has no sheet 'fourth'" in error.message
    error = refusal(workbook(tmp_path, {"empty": []}))
    assert error.code == "no_rows" and "has no cells" in error.message


@pytest.mark.slow
def test_row_41_truncated(tmp_path):
    path = workbook(tmp_path, {"t": [["a"], [1]]})
    path.write_bytes(path.read_bytes()[:-200])
    assert refusal(path).code == "incomplete" and refusal(path).hint == "Upload it again."
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [1, 2]}), path)
    path.write_bytes(path.read_bytes()[:-20])
    assert refusal(path).code == "incomplete" and "incomplete or damaged" in refusal(path).message


@pytest.mark.slow
def test_row_42_parquet_bomb_is_refused_from_its_metadata(tmp_path):
    path = tmp_path / "bomb.parquet"
    pq.write_table(pa.table({"a": np.zeros(limits.ROWS + 1, np.int8)}), path)
    error = refusal(path)
    assert error.code == "too_many_rows" and "has 5,000,001 rows; at most 5,000,000 are read" in error.message
    pq.write_table(pa.table({f"c{i}": np.zeros(1) for i in range(2001)}), path)
    assert "has 2,001 columns; at most 2,000" in refusal(path).message


@pytest.mark.slow
def test_row_43_nested_parquet_and_feather(tmp_path):
    path = tmp_path / "nested.parquet"
    pq.write_table(pa.table({"a": [[1], [2]], "b": [{"x": 1}, {"x": 2}], "c": [1, 2]}), path)
    error = refusal(path)
    assert (
        error.code == "several_problems" and "Column 'a' is nested" in error.message and "Column 'b'" in error.message
    )
    path = tmp_path / "t.feather"
    feather.write_feather(pa.table({"a": [1]}), path)
    assert refusal(path).code == "feather" and "Feather/Arrow file, which is refused" in refusal(path).message


@pytest.mark.parametrize(
    "name", ["../../x.csv", "x" * 300 + ".csv", "con.csv", "a\x00b.csv", "😀.csv", "..", "C:\\x.csv"]
)
def test_row_55_names_are_only_shown(own_workspace, name):
    stored = DataLibrary(own_workspace).add(io.BytesIO(b"a,b\n1,2\n"), name)
    written = sorted(str(p.relative_to(own_workspace)) for p in own_workspace.rglob("*") if p.is_file())
    assert written == [f"data/{stored.sha256}/meta.json", f"data/{stored.sha256}/original"]
    assert len(stored.name) <= 80 and "/" not in stored.name and "\\" not in stored.name and "\x00" not in stored.name


def test_row_56_stream_without_length_over_the_cap(own_workspace, monkeypatch):
    monkeypatch.setattr(limits, "FILE_BYTES", 3 * 2**20)
    library = DataLibrary(own_workspace)
    with pytest.raises(DataError, match=r"big.csv is more than 3 MB; at most 3 MB are read."):
        library.add(io.BytesIO(b"x" * 4 * 2**20), "big.csv")
    assert list((own_workspace / "data").iterdir()) == []


@pytest.mark.slow
def test_sandbox_stops_time_and_memory(monkeypatch):
    monkeypatch.setattr(limits, "PARSE_SECONDS", 1)
    with pytest.raises(DataError, match="takes more than 1 s"):
        sandbox.call("time:sleep", 30)
    monkeypatch.setattr(limits, "PARSE_SECONDS", 30)
    monkeypatch.setattr(sandbox, "memory_limit", lambda: 400 * 2**20)
    with pytest.raises(DataError, match="takes more than 400 MB of memory, the most that one file gets"):
        sandbox.call("builtins:bytearray", 2**30)
    with pytest.raises(DataError, match=r"can't be read \(ZeroDivisionError"):
        sandbox.call("operator:floordiv", 1, 0)


@pytest.mark.slow
def test_deeply_nested_json_crashes_only_the_child(tmp_path):
    path = tmp_path / "deep.jsonl"
    path.write_bytes(b'{"a":' * 200_000 + b"1" + b"}" * 200_000 + b"\n")
    error = refusal(path)
    assert error.code == "parse_crash" and "can't be read (it crashed the parser" in error.message


@pytest.mark.slow
def test_parquet_that_repeats_a_huge_text(tmp_path):
    path = tmp_path / "repeat.parquet"
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, np.int32)), pa.array(["x" * 90_000]))
    pq.write_table(pa.table({"a": text}), path, store_schema=False)
    assert path.stat().st_size < 100_000
    error = refusal(path)
    assert error.code in {"parse_memory", "unpacks_too_large"} and "MB" in error.message
