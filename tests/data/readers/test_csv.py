"""Delimited text is read cell by cell as written."""

import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from kd_core.data.reading import read_table
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


def test_a_missing_header_is_suspected(tmp_path):
    table = read(tmp_path, "5.1,3.5,0\n4.9,3.0,1\n")
    problem = next(p for p in table.problems if p.code == "header_looks_like_data")
    assert problem.message.startswith("Every column name is a number (5.1, 3.5, 0): the header row may be missing.")


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
