"""Hostile text uploads: each is generated here, refused or read with the cause named."""

import gzip
import io
import zipfile

import pytest

from kd_core import limits
from kd_core.data.files.reading import read_table
from kd_core.errors import DataError
from kd_core.specs import ReadSpec


def save(tmp_path, content, name="upload.csv"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path, read=None):
    with pytest.raises(DataError) as error:
        read_table(path, read)
    return error.value


def found(table, code):
    return next(p for p in table.problems if p.code == code)


def test_row_01_empty_file(tmp_path):
    error = refusal(save(tmp_path, b""))
    assert (error.code, error.message) == ("empty_file", "The file is empty (0 bytes).")


def test_row_02_header_only(tmp_path):
    for content in ("a,b,c", "a,b,c\n", "a,b,c\r\n\r\n"):
        error = refusal(save(tmp_path, content))
        assert (error.code, error.message) == ("no_rows", "No data rows; 3 columns found.")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_row_03_utf16_is_read(tmp_path, encoding):
    rows = "name,city\n" + "Ann,Köln\nBob,北京\n" * 40
    table = read_table(save(tmp_path, rows.encode(encoding)))
    assert table.frame["city"].tolist()[:2] == ["Köln", "北京"]
    assert table.understood["encoding"].startswith("UTF-16" if "16" in encoding else "UTF-32")


def test_row_04_latin1_names_the_byte_and_the_choice(tmp_path):
    table = read_table(save(tmp_path, "name,n\nCafé,1\nMüller,2\n".encode("cp1252")))
    assert table.frame["name"].tolist() == ["Café", "Müller"]
    problem = found(table, "encoding_guessed")
    assert "byte 10 is 0xE9" in problem.message and "Windows-1252" in problem.message
    assert "choose the encoding" in problem.hint


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "big5"])
def test_chinese_encodings_are_found(tmp_path, encoding):
    text = "類別,評論\n" + "書,這本書很好看我非常喜歡\n水果,蘋果很甜下次再買\n"
    if encoding != "big5":
        text = "类别,评论\n" + "书籍,这本书很好看我非常喜欢\n水果,苹果很甜下次再买\n"
    table = read_table(save(tmp_path, text.encode(encoding)))
    assert table.frame.iloc[:, 1].tolist() == [line.split(",")[1] for line in text.split("\n")[1:3]]


def test_unknown_encoding_names_the_byte(tmp_path):
    error = refusal(save(tmp_path, b"a,b\n1,2\n"), ReadSpec(encoding="klingon"))
    assert error.code == "unknown_encoding" and "'klingon'" in error.message
    error = refusal(save(tmp_path, "a,b\nü,2\n".encode("cp1252")), ReadSpec(encoding="utf-8"))
    assert error.code == "bad_encoding" and "near byte 4" in error.message and "UTF-8" in error.message


def test_row_05_zip_named_csv(tmp_path):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("t.csv", "a,b\n1,2\n")
    table = read_table(save(tmp_path, data.getvalue()))
    note = found(table, "content_differs")
    assert "the file starts with PK: this is a zip archive, not delimited text" in note.message
    assert table.frame["b"].tolist() == ["2"]


@pytest.mark.parametrize(
    ("magic", "said"),
    [
        (b"\x89PNG\r\n\x1a\n", "starts with 89 50 4E 47: this is a PNG picture"),
        (b"GIF89a", "starts with GIF8: this is a GIF picture"),
        (b"\xff\xd8\xff\xe0", "a JPEG picture"),
        (b"%PDF-1.7\n", "starts with %PDF: this is a PDF document"),
        (b"SQLite format 3\x00", "a SQLite database"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (b"\x93NUMPY\x01\x00", "a NumPy array"),
    ],
)
def test_row_06_magic_bytes_are_named(tmp_path, magic, said):
    error = refusal(save(tmp_path, magic + b"\x00" * 50))
    assert error.code == "wrong_format" and said in error.message


def test_row_07_web_page(tmp_path):
    error = refusal(save(tmp_path, "\n<!DOCTYPE html><html><body>Sign in, please</body></html>"))
    assert error.code == "web_page" and "looks like a web page" in error.message and "Sign in" in error.hint
    error = refusal(save(tmp_path, "<?xml version='1.0'?><rows/>"))
    assert error.code == "xml" and "looks like XML" in error.message


@pytest.mark.slow
def test_row_08_json_named_csv(tmp_path):
    error = refusal(save(tmp_path, '{"error": {"status": 401}}'))
    assert (
        error.code == "nested_column"
        and "looks like JSON" in error.message
        and "column 'error' is nested" in error.message
    )
    error = refusal(save(tmp_path, '[\n"a", "b"]'))
    assert error.code == "not_a_table" and "looks like JSON" in error.message
    table = read_table(save(tmp_path, '{"a": 1}\n{"a": 2}\n'))
    assert "this is JSON, not delimited text" in found(table, "content_differs").message


@pytest.mark.parametrize(
    ("mark", "word"),
    [
        (";", "semicolon"),
        ("\t", "tab"),
        ("|", "pipe"),
        ("~", "'~'"),
        ("^", "caret"),
        ("\x01", "control character 1"),
        (":", "colon"),
        (" ", "space"),
    ],
)
def test_row_09_separators_are_found(tmp_path, mark, word):
    text = f"a{mark}b{mark}c\n" + f'1{mark}"x{mark}y"{mark}3\n' * 5
    table = read_table(save(tmp_path, text))
    assert list(table.frame.columns) == ["a", "b", "c"]
    assert table.frame["b"][0] == f"x{mark}y"
    assert table.understood["separator"] == word.replace("'~'", "tilde")


def test_row_09_decimal_comma_with_semicolon(tmp_path):
    table = read_table(save(tmp_path, "a;b\n" + "1,5;2,5\n" * 10))
    assert table.frame["a"].tolist()[:2] == ["1,5", "1,5"]


def test_row_10_sep_line(tmp_path):
    table = read_table(save(tmp_path, "sep=;\na;b\n1;2\n"))
    assert list(table.frame.columns) == ["a", "b"]
    assert found(table, "sep_line").message == "The first line states the separator (semicolon) and was skipped."


def test_row_11_comment_lines(tmp_path):
    path = save(tmp_path, "# export of today\n# by Ann\na,b\n1,2\n3,4\n")
    table = read_table(path)
    assert found(table, "comment_lines").message == "2 lines starting with '#' before the header were skipped."
    assert list(table.frame.columns) == ["a", "b"] and len(table.frame) == 2
    inner = save(tmp_path, "a,b\n1,2\n% note\n3,4\n", "inner.csv")
    assert len(read_table(inner, ReadSpec(comment="%")).frame) == 2
    assert "lines (fields): 3 (1)" in refusal(inner).message


def test_row_11_a_hash_header_is_kept(tmp_path):
    table = read_table(save(tmp_path, "#id,name\n1,Ann\n2,Bob\n"))
    assert list(table.frame.columns) == ["#id", "name"]


def test_row_12_rows_wider_than_header(tmp_path):
    error = refusal(save(tmp_path, "a,b\n" + "1,2,3\n" * 5))
    assert (error.code, error.message) == ("header_width", "Header 2 fields, rows 3 (line 2).")
    assert "comma was used" in error.hint


def test_row_13_thousands_separator(tmp_path):
    error = refusal(save(tmp_path, "a\n1,000\n"))
    assert (error.code, error.message) == ("header_width", "Header 1 field, rows 2 (line 2).")


def test_row_14_ragged_rows_block_and_name_lines(tmp_path):
    lines = ["a,b,c"] + ["1,2,3"] * 20
    for i in (3, 5, 7, 9, 11, 13):
        lines[i] = "1,2"
    error = refusal(save(tmp_path, "\n".join(lines)))
    assert error.code == "ragged_rows"
    assert error.message == "6 rows do not have 3 fields; lines (fields): 4 (2), 6 (2), 8 (2), 10 (2), 12 (2)."


def test_row_14_a_few_ragged_rows_are_left_out_and_said(tmp_path):
    lines = ["a,b"] + ['1,"x\ny"'] * 300 + ["1,2,3"]
    table = read_table(save(tmp_path, "\n".join(lines)))
    assert len(table.frame) == 300
    problem = found(table, "ragged_rows")
    assert problem.severity == "warning" and problem.count == 1
    assert "lines (fields): 602 (3). It was left out." in problem.message


def test_row_15_unclosed_quote_names_its_line(tmp_path):
    for tail in ("3,4\n5,6\n", "3,4"):
        error = refusal(save(tmp_path, f'a,b\n1,"x ""y"" z"\n1,"never closed\n{tail}'))
        assert (error.code, error.message) == ("unclosed_quote", "A quote opened in line 3 is never closed.")
    error = refusal(save(tmp_path, 'a,"b\n1,2\n'))
    assert error.code == "unclosed_quote" and "header in line 1 never ends" in error.message


def test_row_15_unclosed_quote_in_a_big_file(tmp_path):
    error = refusal(save(tmp_path, 'a,b\n1,2\n3,"open\n' + ("4," + "5" * 60 + "\n") * 150_000))
    assert error.code == "unclosed_quote" and "line 3 " in error.message


def test_row_16_nul_bytes(tmp_path):
    error = refusal(save(tmp_path, b"a,b\n1,2\n3,\x00\n\x00,4\n"))
    assert (error.code, error.message) == ("nul_bytes", "2 NUL bytes, the first at byte 10 (line 3).")


def test_row_17_duplicate_names_are_listed(tmp_path):
    table = read_table(save(tmp_path, "a,b,a,a\n1,2,3,4\n"))
    assert list(table.frame.columns) == ["a", "b", "a (2)", "a (3)"]
    assert "1 column name occurs more than once: a." in found(table, "duplicate_columns").message


def test_row_18_index_column(tmp_path):
    for first in ("", "Unnamed: 0"):
        table = read_table(save(tmp_path, f"{first},b\n0,x\n1,y\n2,z\n"))
        problem = found(table, "index_column")
        assert problem.column == table.frame.columns[0] and "Drop it" in problem.hint
        assert "only counts the rows" in problem.message
    table = read_table(save(tmp_path, ",b\n7,x\n3,y\n"))
    assert "index_column" not in {p.code for p in table.problems}
    assert "called column_1" in found(table, "unnamed_columns").message


def test_row_19_too_many_columns(tmp_path):
    wide = ",".join(f"c{i}" for i in range(10_000))
    error = refusal(save(tmp_path, f"{wide}\n{wide}\n"))
    assert error.code == "too_many_columns" and "has 10,000 columns; at most 2,000 are read" in error.message


def test_row_20_huge_cell(tmp_path):
    path = save(tmp_path, "a,b\n1,x\n2," + "y" * 5_000_000 + "\n3,z\n")
    error = refusal(path)
    assert error.code == "cell_too_long"
    assert "Column 'b': 1 cell longer than 100 KB, in row 2 (the longest has 5,000,000 bytes)." in error.message
    error = refusal(save(tmp_path, "a,b\n1,x\n2," + "y" * 20_000_000 + "\n3,z\n"))
    assert error.code == "line_too_long" and "Line 3 is too long: more than 8 MB" in error.message


def test_row_37_formula_cells_are_kept(tmp_path):
    table = read_table(save(tmp_path, 'a,b\n=1+1,"\tx"\n@SUM(A1),"\rx"\n'))
    assert table.frame.to_numpy().tolist() == [["=1+1", "\tx"], ["@SUM(A1)", "\rx"]]


def test_row_56_file_over_the_cap(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "FILE_BYTES", 2**20)
    error = refusal(save(tmp_path, b"a\n" + b"1\n" * 2**20))
    assert error.code == "file_too_large" and "is 2.0 MB; at most 1 MB are read" in error.message


def test_caps_on_rows_and_cells(tmp_path, monkeypatch):
    path = save(tmp_path, "a,b\n" + "1,2\n" * 50)
    monkeypatch.setattr(limits, "CELLS", 60)
    assert "has 100 cells; at most 60 are read" in refusal(path).message
    monkeypatch.setattr(limits, "ROWS", 10)
    assert "at most 10 are read" in refusal(path).message


def test_gzip_bomb_truncated_and_double(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "ZIP_TOTAL_BYTES", 5 * 2**20)
    error = refusal(save(tmp_path, gzip.compress(b"a\n" + b"1\n" * 3_000_000), "x.csv.gz"))
    assert error.code == "unpacks_too_large" and "unpacks to more than 5 MB" in error.message
    whole = gzip.compress(b"a,b\n" + b"1,2\n" * 1000)
    error = refusal(save(tmp_path, whole[:-20], "x.csv.gz"))
    assert error.code == "incomplete" and error.hint == "Upload it again."
    error = refusal(save(tmp_path, gzip.compress(whole), "x.csv.gz"))
    assert error.code == "nested" and "packed twice" in error.message


def test_pickle_is_never_opened(tmp_path):
    error = refusal(save(tmp_path, b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00cposix\nsystem\n", "table.csv"))
    assert error.code == "pickle" and "can run code" in error.message


def test_all_problems_come_together(tmp_path):
    long = "y" * 200_000
    error = refusal(save(tmp_path, f"a,b,c\n1,{long},{long}\n2,x,z\n3,4\n"))
    assert error.code == "several_problems"
    assert "Column 'b'" in error.message and "Column 'c'" in error.message and "1 row does not have 3" in error.message


@pytest.mark.parametrize(
    ("before", "line"), [(b"", 1), (b"a,b\n", 2), (b"a,b\r\n1,2\r\n", 3), (b'a,b\n1,"2\n', 3), (b"a\r1\r", 3)]
)
@pytest.mark.parametrize("filler", [b"x", b"x,", b'"'])
def test_a_line_without_an_end_is_too_long_not_a_quote_that_is_never_closed(tmp_path, before, line, filler):
    path = tmp_path / "endless.csv"
    path.write_bytes(before + filler * (9 * 2**20 // len(filler)))
    error = refusal(path)
    assert error.code == "line_too_long"
    assert error.message == f"Line {line} is too long: more than 8 MB without a line break."


@pytest.mark.slow
def test_a_long_line_between_others_is_found_and_long_texts_of_short_lines_are_not(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 3_000_000 + b"y" * (9 * 2**20) + b"\n1,2\n")
    assert refusal(path).message == "Line 3,000,002 is too long: more than 8 MB without a line break."
    path.write_bytes(b"a,b\n" + b"1,2\n" * 3_000_000)
    assert len(read_table(path).frame) == 3_000_000


@pytest.mark.slow
def test_one_long_line_of_json_is_no_table_line(tmp_path):
    path = tmp_path / "t.json"
    path.write_bytes(b"[" + b", ".join([b'{"a": 1, "b": "xxxxxxxxxxxxxxxxxxxx"}'] * 250_000) + b"]")
    assert path.stat().st_size > 9 * 2**20 and len(read_table(path).frame) == 250_000
