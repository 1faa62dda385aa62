"""LibSVM text and zips of it: what is read, and what is said of files that are not what they seem."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from kd_core import limits
from kd_core.data.files.reading import read_table
from kd_core.data.from_path import implied_group, implied_part, implied_target
from kd_core.errors import DataError

PLAIN = "2 1:0.5 3:7 # a note\n\n0 2:-1e-3\n# nothing\n1\n"


def written(tmp_path, content, name="rank.libsvm"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def zipped(tmp_path, name="set.zip", **members):
    path = tmp_path / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member.replace("__", "."), content)
    return path


def refused(path, code):
    with pytest.raises(DataError) as raised:
        read_table(path)
    assert raised.value.code == code, raised.value
    return str(raised.value)


def test_values_that_are_not_written_are_0(tmp_path):
    table = read_table(written(tmp_path, PLAIN))
    assert list(table.frame.columns) == ["label", "f1", "f2", "f3"]
    assert table.frame.to_numpy().tolist() == [[2, 0.5, 0, 7], [0, 0, -0.001, 0], [1, 0, 0, 0]]
    assert [p.code for p in table.problems] == ["no_queries"] and table.format == "libsvm"


def test_features_may_be_counted_from_0_and_queries_stand_in_the_rows(tmp_path):
    path = written(tmp_path, "1 qid:7 0:1\n0\tqid:7\t2:1\n3 qid:12\n", "a.txt")
    table = read_table(path)
    assert list(table.frame.columns) == ["label", "query", "f0", "f1", "f2"]
    assert table.frame["query"].tolist() == ["7", "7", "12"] and table.kinds["query"] == "id"
    assert (implied_target(str(path)), implied_group(str(path)), implied_part(str(path))) == ("label", "query", None)
    assert "this is LibSVM text" in table.problems[0].message


def test_a_zip_of_training_and_test_files_is_one_data_set_with_its_split(tmp_path):
    path = zipped(
        tmp_path,
        rank__train="1 1:1\n0 2:1\n2 3:1\n",
        rank__train__query="2\n1\n",
        rank__test="0 5:1\n1 1:2\n",
        rank__test__query="2\n",
    )
    table = read_table(path)
    assert table.frame["query"].tolist() == ["train 1", "train 1", "train 2", "test 1", "test 1"]
    assert table.frame[table.part].tolist() == ["train"] * 3 + ["test"] * 2
    assert list(table.frame.columns[2:7]) == ["f1", "f2", "f3", "f4", "f5"] and table.frame["f5"].tolist() == [
        0,
        0,
        0,
        1,
        0,
    ]
    assert (implied_target(str(path)), implied_group(str(path)), implied_part(str(path))) == (
        "label",
        "query",
        "split_part",
    )
    assert table.understood["queries"] == "3 queries" and not table.problems


def test_parts_are_told_by_the_names_of_published_sets(tmp_path):
    rows = "1 qid:1 1:1\n0 qid:1 2:1\n"
    path = zipped(
        tmp_path,
        **{
            "Fold1/train.txt": rows,
            "Fold1/vali.txt": rows.replace("qid:1", "qid:2"),
            "Fold1/test.txt": rows.replace("qid:1", "qid:3"),
        },
    )
    table = read_table(path)
    assert table.frame[table.part].tolist() == ["train"] * 2 + ["vali"] * 2 + ["test"] * 2
    assert table.frame["query"].tolist() == ["1", "1", "2", "2", "3", "3"]


def test_sizes_of_queries_must_be_all_rows_and_both_sums_are_named(tmp_path):
    path = zipped(tmp_path, rank__train="1 1:1\n0 2:1\n2 3:1\n", rank__train__query="2\n2\n")
    said = refused(path, "query_sum")
    assert "rank.train.query gives 2 queries with 4 rows together; rank.train holds 3 rows" in said


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [
        ("2\nx\n", "'x'"),
        ("2\n0\n1\n", "'0'"),
        ("-1\n4\n", "'-1'"),
        ("1.5\n", "'1.5'"),
        ("٣\n", "line"),
        ("9" * 400, "9999"),
    ],
)
def test_sizes_are_whole_numbers_from_1(tmp_path, sizes, shown):
    said = refused(zipped(tmp_path, rank__train="1 1:1\n0 2:1\n2 3:1\n", rank__train__query=sizes), "query_sizes")
    assert shown.lower() in said.lower() and "how many rows the next query has" in said


def test_a_file_of_sizes_that_is_missing_or_left_over_is_named(tmp_path):
    rows = "1 1:1\n0 2:1\n"
    said = refused(zipped(tmp_path, "a.zip", rank__train=rows, rank__test=rows, rank__train__query="2\n"), "query_file")
    assert "no file 'rank.test.query'" in said
    said = refused(zipped(tmp_path, "b.zip", rank__train=rows, rank__test__query="2\n"), "query_file")
    assert "'rank.test.query' gives the sizes of queries" in said and "'rank.test'" in said
    said = refused(zipped(tmp_path, "c.zip", rank__train=rows, rank__test="1 qid:1 1:1\n"), "own_queries")
    assert "'rank.train' say nothing of queries" in said


@pytest.mark.parametrize(
    ("line", "code", "shown"),
    [
        ("1 1000000000:1", "libsvm_index", "feature number 1,000,000,000; 2,000 is the highest"),
        ("1 -3:1", "libsvm_index", "feature number -3"),
        ("1 1:2 3:1 1:5", "libsvm_twice", "gives feature 1 twice"),
        ("1 1:inf", "libsvm_infinite", "without end"),
        ("1 1:0.5 hello", "libsvm_row", "'1 1:0.5 hello'"),
        ("1 1:0.5 7", "libsvm_row", "'1 1:0.5 7'"),
        ("1 1:", "libsvm_row", "'1 1:'"),
        ("x 1:0.5", "libsvm_row", "'x 1:0.5'"),
        ("1 qid:3 1:0.5", "libsvm_qid", "Line 1 of"),
        ("1 1.5:3", "libsvm_index", "feature number 1.5"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, code, shown):
    good = "1 1:0.25 2:3\n" * 400  # beyond what the beginning of a file tells
    said = refused(written(tmp_path, good + line + "\n"), code)
    assert shown in said and (code == "libsvm_qid" or "Line 401 of rank.libsvm" in said)


def test_missing_values_are_told_and_kept(tmp_path):
    table = read_table(written(tmp_path, "1 1:nan 2:1\n0 1:4\n"))
    assert np.isnan(table.frame["f1"][0]) and "1 value in" in table.problems[0].message


def test_a_line_without_end_and_a_set_without_rows_are_refused(tmp_path, monkeypatch):
    refused(written(tmp_path, "1 1:1\n" + "1 " + "1:1 " * 300_000 + "\n"), "libsvm_row")
    refused(zipped(tmp_path, rank__train="# nothing\n", rank__train__query="\n"), "no_rows")
    monkeypatch.setattr(limits, "ROWS", 2)
    refused(written(tmp_path, "1 1:1\n" * 3), "too_many_rows")


@pytest.mark.parametrize(
    "text", ["a b\n1 2\n", "10:30 11:00\n11:30 12:00\n", "1,2\n3,4\n", "1 2 3\n4 5 6\n", "5 a:b\n"]
)
def test_other_text_is_not_taken_for_it(tmp_path, text):
    assert read_table(written(tmp_path, text * 20, "table.txt")).format == "csv"
