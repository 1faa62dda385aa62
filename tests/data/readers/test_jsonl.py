"""JSON lines and arrays of flat objects."""

import pytest

from kd_core import limits
from kd_core.data.files import json_rows
from kd_core.data.files.reading import read_table
from kd_core.errors import DataError


def read(tmp_path, content):
    path = tmp_path / "t.jsonl"
    path.write_text(content, "utf-8")
    return read_table(path)


def test_lines_keep_types_and_gaps(tmp_path):
    table = read(tmp_path, '{"a": 1, "s": "NA", "f": true}\n\n{"s": "书", "x": 1.5, "f": false}\n')
    assert table.frame["s"].tolist() == ["NA", "书"] and str(table.frame["f"].dtype) == "bool"
    assert table.frame["a"].isna().tolist() == [False, True]
    assert table.understood == {"format": "JSON lines", "encoding": "UTF-8"}


@pytest.mark.slow
def test_array(tmp_path):
    table = read(tmp_path, ' [{"a": 1, "b": "x"},\n {"b": "y", "c": 2.5}]')
    assert list(table.frame.columns) == ["a", "b", "c"] and table.frame["c"].tolist()[1] == 2.5
    assert table.understood["format"] == "JSON array"


@pytest.mark.slow
def test_mixed_types_become_text_and_are_said(tmp_path):
    table = read(tmp_path, '{"a": 1}\n{"a": "x"}\n')
    assert table.frame["a"].tolist() == ["1", "x"]
    assert table.problems[0].message == "Column 'a' mixes int, str; it was read as text."


@pytest.mark.slow
def test_broken_lines_are_named(tmp_path):
    with pytest.raises(DataError, match="Line 3 is not valid JSON"):
        read(tmp_path, '{"a": 1}\n{"a": 2}\n{"a": 3\n{"a": 4}\n')
    with pytest.raises(DataError, match="looks like JSON, but it is not valid"):
        read(tmp_path, '[{"a": 1}, {"a": ')
    with pytest.raises(DataError, match="looks like JSON, but not like a table"):
        read(tmp_path, '["a", "b"]')
    with pytest.raises(DataError, match="column 'a' is nested"):
        read(tmp_path, '{"a": [1, 2]}\n{"a": [3]}\n')


def test_a_table_over_the_size_cap_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": "xxxxxxxxxx"}\n' * 100, "utf-8")
    monkeypatch.setattr(limits, "ZIP_TOTAL_BYTES", 1_000)
    with pytest.raises(DataError, match=r"t\.jsonl unpacks to more than 0 MB, the most that is read") as error:
        json_rows.extract(str(path), 0, False, str(tmp_path), "t.jsonl")
    assert error.value.code == "unpacks_too_large"
