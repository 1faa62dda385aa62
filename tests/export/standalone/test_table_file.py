"""Rows of a file as the program in a bundle reads them."""

from __future__ import annotations

import pytest

from kd_core.data.plain.rows import UnfitRows
from kd_core.export.standalone.table_file import rows_of


def read(tmp_path, text, layout, *more, name="rows.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return rows_of(path, layout, *more)


def test_a_table_is_read_as_its_file_was_laid_out(tmp_path):
    assert read(tmp_path, '\ufeffa; b\n1;"x;\ny"\n\n2;ü\n', {"separator": ";"}) == [
        {"a": "1", "b": "x;\ny"},
        {"a": "2", "b": "ü"},
    ]
    assert read(tmp_path, "a,b\n1,ü\n", {"encoding": "cp1252"}, encoding="cp1252") == [{"a": "1", "b": "ü"}]
    assert read(tmp_path, "#no\na,b\n#no\n1,2\n", {"comment": "#"}) == [{"a": "1", "b": "2"}]
    assert read(tmp_path, "x,y\n1,2\n", {"names": ["a", "b"], "header": "yes"}) == [{"a": "1", "b": "2"}]
    assert read(tmp_path, "1,2\n3,4\n", {"names": ["a", "b"], "header": "no"})[1] == {"a": "3", "b": "4"}
    with pytest.raises(UnfitRows, match=r"Row 1 of rows.csv has 1 cells where 2 columns are named"):
        read(tmp_path, "1\n", {"names": ["a", "b"], "header": "no"})
    with pytest.raises(UnfitRows, match=r"rows.csv is empty"):
        read(tmp_path, "", {})


@pytest.mark.parametrize("header", ["yes", "no"])
def test_a_first_row_that_names_the_columns_is_no_row_of_values(tmp_path, header):
    layout = {"names": ["a", "label", "b"], "header": header}  # those of the whole file; a sample has fewer
    assert read(tmp_path, "b,a\n1,2\n", layout, (), ("a", "b")) == [{"b": "1", "a": "2"}]
    assert read(tmp_path, "1,no,2\n" * 2, layout, (), ("a", "b"))[-1] == {"a": "1", "label": "no", "b": "2"}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_table_that_another_program_saved_is_read_by_the_separator_that_names_the_columns(tmp_path, separator):
    text = separator.join(("a", "b c")) + "\n" + separator.join(("1", '"2,5"')) + "\n"
    assert read(tmp_path, text, {"separator": ";"}, (), ("a", "b c")) == [{"a": "1", "b c": "2,5"}]


def test_rows_of_the_students_columns_alone_are_read_in_their_order_where_files_have_no_names(tmp_path):
    layout = {"names": ["a", "label", "b"], "header": "no"}
    assert read(tmp_path, "1,2\n", layout, (), ("a", "b")) == [{"a": "1", "b": "2"}]


def test_pictures_are_read_from_beside_the_table_and_nowhere_else(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.png").write_bytes(b"x")
    rows = read(tmp_path, "p,a\n photos\\1.png ,1\n,2\n", {}, ("p",))
    assert rows == [{"p": b"x", "a": "1"}, {"p": None, "a": "2"}]
    for name in ("../secret.png", "absent.png", "/etc/hostname"):
        with pytest.raises(UnfitRows, match=r"Row 1 names the picture .* which does not lie in"):
            read(tmp_path, f"p,a\n{name},1\n", {}, ("p",))


def test_one_picture_is_a_row_where_the_student_reads_nothing_else(tmp_path):
    path = tmp_path / "my.PNG"
    path.write_bytes(b"x")
    assert rows_of(path, {}, ("photo",), ("photo",)) == [{"photo": b"x"}]
    with pytest.raises(UnfitRows, match=r"my.PNG is a picture, and the student reads price, title, too"):
        rows_of(path, {}, ("photo",), ("photo", "title", "price"))
