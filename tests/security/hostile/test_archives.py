"""Hostile zips: everything is decided from the table of contents, and members are never extracted by name."""

import io
import stat
import struct
import warnings
import zipfile

import pytest

from kd_core import limits
from kd_core.data.files.reading import read_table
from kd_core.errors import DataError, fill
from kd_core.specs import ReadSpec

CSV = "a,b\n1,2\n3,4\n"


def zipped(tmp_path, members, name="upload.zip", method=zipfile.ZIP_DEFLATED):
    path = tmp_path / name
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")  # the same name twice is what one test is about
        for member, content in members:
            archive.writestr(member, content)
    return path


def refusal(path, read=None):
    with pytest.raises(DataError) as error:
        read_table(path, read)
    return error.value


def found(table, code):
    return next(p for p in table.problems if p.code == code)


def test_row_44_ratio_bomb(tmp_path):
    error = refusal(zipped(tmp_path, [("a.csv", b"a\n" + b"0" * 20_000_000)]))
    assert error.code == "zip_bomb" and "'a.csv' unpacks to" in error.message and "at most 100 times" in error.message


def test_row_44_total_size_and_member_count(tmp_path, monkeypatch):
    path = zipped(tmp_path, [(f"{i}.csv", CSV) for i in range(20)])
    monkeypatch.setattr(limits, "ZIP_TOTAL_BYTES", 100)
    assert "at most 0 MB are read" in refusal(path).message and refusal(path).code == "unpacks_too_large"
    monkeypatch.setattr(limits, "ZIP_MEMBERS", 10)
    error = refusal(path)
    assert error.code == "too_many_members" and "holds 20 files; at most 10 are read" in error.message


def test_row_44_nested_by_name_and_by_content(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.csv", CSV)
    for name in ("inner.zip", "inner.csv"):
        error = refusal(zipped(tmp_path, [(name, inner.getvalue())]))
        assert error.code == "nested" and f"'{name}' is an archive inside the zip" in error.message


def test_row_44_lying_size(tmp_path):
    path = zipped(tmp_path, [("a.csv", CSV * 1000)])
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    path.write_bytes(data)
    error = refusal(path)
    assert error.code == "incomplete" and error.hint == "Upload it again."


@pytest.mark.parametrize("member", ["../../x.csv", "/abs.csv", "C:\\w.csv", "a/../../x.csv", "..\\x.csv"])
def test_row_45_paths_out_of_the_archive(tmp_path, member):
    error = refusal(zipped(tmp_path, [(member, CSV)]))
    assert error.code == "unsafe_path" and f"'{member}' has a path that leads out of the archive." in error.message
    assert [p.name for p in tmp_path.parent.glob("x.csv")] == []


def test_row_45_symlink(tmp_path):
    link = zipfile.ZipInfo("link.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    error = refusal(zipped(tmp_path, [(link, "/etc/passwd")]))
    assert error.code == "symlink" and "'link.csv' is a link to another file." in error.message


def test_row_45_same_name_and_case_twins(tmp_path):
    error = refusal(zipped(tmp_path, [("a.csv", CSV), ("a.csv", CSV)]))
    assert error.code == "same_name" and "'a.csv' occurs more than once." in error.message
    error = refusal(zipped(tmp_path, [("a.csv", CSV), ("A.csv", CSV)]))
    assert error.code == "case_twins" and "only in upper and lower case" in error.message


def test_row_45_everything_unsafe_is_named_at_once(tmp_path):
    error = refusal(zipped(tmp_path, [("../x.csv", CSV), ("a.csv", CSV), ("a.csv", CSV)]))
    assert error.code == "several_problems" and "'../x.csv'" in error.message and "'a.csv'" in error.message


def test_row_46_encrypted(tmp_path):
    path = zipped(tmp_path, [("a.csv", CSV)])
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(data)
    error = refusal(path)
    assert error.code == "encrypted" and "'a.csv' is password-protected." in error.message and "password" in error.hint


def test_row_46_junk_is_skipped_and_counted(tmp_path):
    table = read_table(
        zipped(
            tmp_path,
            [("__MACOSX/._a.csv", b"\x00\x05"), (".DS_Store", b"\x00"), ("a.csv", CSV), ("Readme.txt", "hello")],
        )
    )
    note = found(table, "skipped_members")
    assert note.count == 3 and "3 files that are no tables were skipped" in note.message
    assert len(table.frame) == 2 and table.members == ("a.csv",)
    error = refusal(zipped(tmp_path, [("Readme.txt", "hello")]))
    assert error.code == "no_table" and "holds no table" in error.message


def test_truncated_zip(tmp_path):
    path = zipped(tmp_path, [("a.csv", CSV * 100)])
    path.write_bytes(path.read_bytes()[:-30])
    error = refusal(path)
    assert error.code == "incomplete" and "incomplete or damaged" in error.message


def test_same_schema_is_one_table_and_findings_are_gathered(tmp_path):
    table = read_table(zipped(tmp_path, [(f"{i}.csv", f",b\n0,{i}\n1,x\n") for i in range(3)]))
    assert len(table.frame) == 6 and table.understood["files"] == "3 files"
    assert (
        "0.csv: " in found(table, "index_column").message
        and "(and in 2 more files)" in found(table, "index_column").message
    )


def test_a_finding_of_a_file_is_told_with_its_name_by_a_template(tmp_path):
    table = read_table(zipped(tmp_path, [(f"{i}.csv", "a,a\nx,y\nz,w\n") for i in range(3)]))
    told = found(table, "duplicate_columns")
    assert told.message == (
        "0.csv: 1 column name occurs more than once: a. Later ones were numbered. (and in 2 more files)"
    )
    assert told.count == 3
    assert fill(told.template, column=told.column, count=told.count, **told.values) == told.message


def test_different_schemas_offer_the_members(tmp_path):
    path = zipped(tmp_path, [("day.csv", "d,c\n1,2\n"), ("hour.csv", "h,c,x\n" + "1,2,3\n" * 9)])
    table = read_table(path)
    assert table.members == ("day.csv", "hour.csv") and len(table.frame) == 9
    message = found(table, "several_tables").message
    assert "2 tables with different columns; the largest, 'hour.csv', was read. Others: day.csv." in message
    chosen = read_table(path, ReadSpec(member="day.csv"))
    assert list(chosen.frame.columns) == ["d", "c"] and chosen.members == table.members
    error = refusal(path, ReadSpec(member="week.csv"))
    assert error.code == "no_member" and "has no file 'week.csv'" in error.message and "day.csv, hour.csv" in error.hint


def test_a_bad_member_is_named(tmp_path):
    error = refusal(zipped(tmp_path, [("ok.csv", CSV), ("bad.csv", 'a,b\n1,"open\n')]))
    assert error.code == "unclosed_quote" and error.message.startswith("In 'bad.csv': ")
    table = read_table(zipped(tmp_path, [("ok.csv", CSV), ("none.csv", "")]))
    assert found(table, "empty_members").message == "1 empty file was skipped: none.csv."
