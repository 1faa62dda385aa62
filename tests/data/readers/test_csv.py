"""Delimited text is read cell by cell as written."""

import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from kd_core.data.files.reading import read_table
from kd_core.errors import DataError
from kd_core.specs import ReadSpec


def read(tmp_path, content, spec=None):
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, spec)


def test_cells_keep_their_own_text(tmp_path):
    table = read(tmp_path, "a,b\nNA,None\nnull,\n007, x \n")
    assert table.frame["a"].tolist() == ["NA", "null", "007"]
    assert table.frame["b"].tolist() == ["None", "", " x "]
    assert table.frame.dtypes.astype(str).tolist() == ["str", "str"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "end"])
def test_line_endings(tmp_path, ending, last):
    text = ending.join(["a,b", "1,2", "", "3,4"]) + (ending if last else "")
    assert read(tmp_path, text).frame.to_numpy().tolist() == [["1", "2"], ["3", "4"]]


def test_quotes_hold_separators_line_breaks_and_quotes(tmp_path):
    table = read(tmp_path, '"a, first","b\nsecond"\n"x,1","say ""hi""\r\nthere"\n5" pipe,y\n')
    assert list(table.frame.columns) == ["a, first", "b\nsecond"]
    assert table.frame.to_numpy().tolist() == [["x,1", 'say "hi"\r\nthere'], ['5" pipe', "y"]]


def test_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    for spec in (None, ReadSpec(encoding="utf-8")):
        table = read(tmp_path, b"\xef\xbb\xbfa,b\n1,2\n", spec)
        assert list(table.frame.columns) == ["a", "b"]
    assert read(tmp_path, b"\xef\xbb\xbfa,b\n1,2\n").understood["encoding"] == "UTF-8 with byte order mark"


def test_leading_blank_lines_are_passed(tmp_path):
    assert read(tmp_path, "\n  \na,b\n1,2\n").frame.to_numpy().tolist() == [["1", "2"]]


def test_one_column_of_text_with_commas_stays_one_column(tmp_path):
    table = read(tmp_path, "review\nGood\nBad; very\nSo so, really\nfine\nok\nno\nyes\nmaybe, or, not\n")
    assert table.frame.shape == (8, 1) and table.understood["separator"] == "one column"


def test_an_asked_separator_wins(tmp_path):
    text = "a;b,c\n1;2,3\n"
    assert list(read(tmp_path, text, ReadSpec(separator=";")).frame.columns) == ["a", "b,c"]
    assert list(read(tmp_path, text, ReadSpec(separator="comma")).frame.columns) == ["a;b", "c"]
    assert list(read(tmp_path, "a\tb\n1\t2\n", ReadSpec(separator="\\t")).frame.columns) == ["a", "b"]
    with pytest.raises(DataError, match=r"The separator '\|\|' can't be used"):
        read(tmp_path, text, ReadSpec(separator="||"))


def test_a_missing_header_is_suspected_where_there_is_too_little_to_compare_with(tmp_path):
    table = read(tmp_path, "5.1,3.5,0\n4.9,3.0,1\n")
    problem = next(p for p in table.problems if p.code == "header_doubtful")
    assert (
        problem.message
        == "The first row (5.1, 3.5, 0) was read as names, but may be a row of values: every first cell is a number."
    )
    assert list(table.frame.columns) == ["5.1", "3.5", "0"]


def test_a_missing_header_costs_no_row(tmp_path):
    table = read(tmp_path, "5.1,3.5,0\n4.9,3.0,1\n5.0,3.1,1\n")
    assert list(table.frame.columns) == ["column 1", "column 2", "column 3"]
    assert table.frame.to_numpy().tolist()[0] == ["5.1", "3.5", "0"] and len(table.frame) == 3
    problem = next(p for p in table.problems if p.code == "header_missing")
    assert problem.message == (
        "The first row (5.1, 3.5, 0) holds values, not names. The columns are called column 1 to column 3."
    )
    assert table.understood["header"] == "no row of names" and table.header.decided == "no"


def test_the_person_decides_what_the_first_row_is(tmp_path):
    text = "5.1,3.5,0\n4.9,3.0,1\n5.0,3.1,1\n"
    asked = read(tmp_path, text, ReadSpec(header="yes"))
    assert list(asked.frame.columns) == ["5.1", "3.5", "0"] and not asked.problems
    taken = read(tmp_path, "a,b\n1,2\n3,4\n", ReadSpec(header="no"))
    assert taken.frame.to_numpy().tolist() == [["a", "b"], ["1", "2"], ["3", "4"]] and not taken.problems
    assert read(tmp_path, "1,2", ReadSpec(header="no")).frame.shape == (1, 2)


def test_names_given_by_hand(tmp_path):
    text = "5.1,3.5,0\n4.9,3.0,1\n5.0,3.1,1\n"
    table = read(tmp_path, text, ReadSpec(names=("long", "wide", "kind")))
    assert list(table.frame.columns) == ["long", "wide", "kind"] and len(table.frame) == 3
    renamed = read(tmp_path, "a,b\n1,2\n3,4\n", ReadSpec(names=("x", "y")))
    assert list(renamed.frame.columns) == ["x", "y"] and len(renamed.frame) == 2
    with pytest.raises(DataError, match=r"2 names were given for 3 columns\. Give one name for each column"):
        read(tmp_path, text, ReadSpec(names=("x", "y")))


def test_a_bad_line_is_named_where_it_stands_without_a_header(tmp_path):
    rows = [f"{i},{i % 7},{i % 3}" for i in range(300)]
    rows[10] += ",9"
    problem = next(p for p in read(tmp_path, "\n".join(rows) + "\n").problems if p.code == "ragged_rows")
    assert problem.values["lines"] == [11]


def test_only_blank_text(tmp_path):
    with pytest.raises(DataError, match="No data rows"):
        read(tmp_path, "\n\n\n")


def test_a_wide_table_beyond_the_sample(tmp_path):
    header = ",".join(f"a_long_column_name_{i}_{'x' * 60}" for i in range(1500))
    row = ",".join(["12345.678"] * 1500)
    table = read(tmp_path, f"{header}\n" + f"{row}\n" * 60)
    assert table.frame.shape == (60, 1500)


def test_text_that_arrow_cannot_split_is_refused(tmp_path, monkeypatch):
    def refuse(*_):
        raise pa.ArrowInvalid("odd text")

    monkeypatch.setattr(pacsv, "read_csv", refuse)
    with pytest.raises(DataError, match=r"The text can't be split into rows: odd text\. Save it again as CSV"):
        read(tmp_path, "a,b\n1,2\n")


def test_a_file_of_only_a_byte_order_mark_holds_no_text(tmp_path):
    with pytest.raises(DataError, match="holds no text"):
        read(tmp_path, b"\xef\xbb\xbf")


def test_bytes_of_no_encoding_are_named(tmp_path):
    with pytest.raises(DataError, match=r"is not UTF-8, and no other common encoding fits\. Choose the encoding"):
        read(tmp_path, b"a,b\n" + bytes(range(128, 256)) * 20 + b",1\n")
