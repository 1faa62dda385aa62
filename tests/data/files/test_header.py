"""The first row: names, values, or a question."""

import io
import zipfile

import openpyxl
import pytest

from kd_core.data.files.header import decide, read_names
from kd_core.data.files.reading import read_table
from kd_core.data.types.cells import kind_of
from kd_core.errors import DataError
from kd_core.specs import ReadSpec
from tests.data.tables import codes, one

ADULT = [
    ["50", " Self-emp", " 83311", " <=50K"],
    ["38", " Private", " 215646", " <=50K"],
    ["53", " ?", " 234721", " >50K"],
]
CASES = {
    # first row, rows below -> (names, sure)
    "values above values": (["39", " State-gov", " 77516", " <=50K"], ADULT, (False, True)),
    "names above values": (["age", "work", "weight", "income"], ADULT, (True, True)),
    "dates alike": (["2024-01-01", "x"], [["2024-01-02", "y"], ["2024-01-03", "z"]], (False, True)),
    "a word for missing above numbers": (["?", "a"], [["1", "b"], ["2", "c"]], (True, False)),
    "one typing error among many values": (
        ["1", "2.5", "3", "oops"],
        [["4", "1", "8", "6"], ["2", "2", "7", "5"]],
        (True, False),
    ),
    "one typing error among very many": (["1.5"] * 9 + ["oops"], [["2.5"] * 10, ["3.5"] * 10], (False, False)),
    "a typing error above numbers, a label found below": (
        ["oops", "Private"],
        [["50", "Private"], ["38", "State"]],
        (True, False),
    ),
    "numbered names": (["0", "1", "2"], [["5.5", "2.5", "1"], ["4.5", "2.5", "2"]], (True, False)),
    "years as names": (["city", "2019", "2020"], [["Rome", "31.5", "12"], ["Bonn", "7.5", "44"]], (True, False)),
    "years among years": (["Rome", "2019"], [["Bonn", "2018"], ["Oslo", "2020"]], (False, True)),
    "text only, plain names": (["text", "category"], [["my card is lost", "card"], ["top up", "money"]], (True, True)),
    "text only, a label found below": (["my card", "lost"], [["where is it", "lost"], ["pay", "pay"]], (True, False)),
    "text only, the same twice": (["a", "a"], [["b", "c"], ["d", "e"]], (True, False)),
    "text only, a sentence": (["I have lost my card in Rome", "x"], [["b", "c"], ["d", "e"]], (True, False)),
    "too few rows": (["a", "b"], [["1", "2"]], (True, True)),
    "an unnamed index": (["", "a", "b"], [["0", "1.5", "x"], ["1", "2.5", "y"]], (True, True)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_first_row_is_compared_with_the_rows_below(case):
    first, rows, expected = CASES[case]
    found = decide(first, rows)
    assert (found.names, found.sure) == expected, found.why


def test_a_text_table_never_loses_its_first_row_of_names():
    words = [["p", "x", "s"], ["e", "x", "y"], ["p", "b", "s"]]
    for first in words:
        found = decide(first, words)
        assert found.names and not found.sure  # it asks


def test_what_the_person_says_counts():
    assert decide(["a", "b"], ADULT, "no").names is False
    assert decide(["1", "2"], [["3", "4"]] * 5, "yes").names is True
    assert decide(["1", "2"], [["3", "4"]] * 5, "yes").sure


@pytest.mark.parametrize(
    "pasted",
    [
        "age, sex, income",
        "age\nsex\nincome\n",
        '"age";"sex";"income"',
        "age: continuous.\nsex: Male, Female.\nincome: x",
        "age\tsex\tincome",
    ],
)
def test_names_can_be_pasted_in_many_forms(pasted):
    assert read_names(pasted) == ("age", "sex", "income")


def test_no_names_are_no_names():
    assert read_names("  \n ") == ()


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        (" 39", "number"),
        ("1,234.5", "number"),
        ("?", "missing"),
        ("n/a", "missing"),
        (".", "missing"),
        ("", "missing"),
        ("2024-01-31", "date"),
        ("31.01.2024 12:00", "date"),
        ("State-gov", "text"),
        ("-", "missing"),
        ("-5e3", "number"),
    ],
)
def test_kinds_of_cells(cell, kind):
    assert kind_of(cell) == kind


def packed(path, **files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.csv", text)
    return path


def test_tables_in_a_zip_belong_together_without_a_row_of_names(tmp_path):
    days = [f"{d},{d + 1}.5,x\n{d + 7},3.5,y\n{d + 9},4.5,x\n" for d in (1, 2, 3)]
    table = read_table(packed(tmp_path / "days.zip", a=days[0], b=days[1], c=days[2]))
    assert table.frame.shape == (9, 3) and table.header.decided == "no"
    assert "a.csv: The first row (1, 2.5, x) holds values" in str(one(table.problems, "header_missing"))
    other = read_table(packed(tmp_path / "two.zip", a=days[0], b="k,v\n1,2\n3,4\n"))
    assert "several_tables" in codes(other.problems) and other.frame.shape == (3, 3)


def workbook(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    path.write_bytes(content.getvalue())
    return path


@pytest.mark.slow
def test_a_sheet_without_a_row_of_names_keeps_its_first_row_and_its_types(tmp_path):
    path = workbook(tmp_path / "t.xlsx", [[39, "State-gov", 2.5], [50, "Private", 3.5], [38, "Private", 1.5]])
    table = read_table(path)
    assert list(table.frame.columns) == ["column 1", "column 2", "column 3"]
    assert table.frame["column 1"].tolist() == [39, 50, 38] and table.frame["column 1"].dtype.kind == "i"
    assert one(table.problems, "header_missing") and table.header.decided == "no"
    held = read_table(path, ReadSpec(header="yes"))
    assert list(held.frame.columns) == ["39", "State-gov", "2.5"] and not held.problems
    named = read_table(path, ReadSpec(names=("age", "work", "rate")))
    assert list(named.frame.columns) == ["age", "work", "rate"] and len(named.frame) == 3


@pytest.mark.slow
@pytest.mark.parametrize("read", [ReadSpec(header="no"), ReadSpec(names=("a", "b"))])
def test_formats_with_names_of_their_own_keep_them(tmp_path, read):
    path = tmp_path / "t.jsonl"
    path.write_text('{"x": 1, "y": 2}\n' * 3)
    with pytest.raises(
        DataError, match=r"t\.jsonl is JSON: its columns have names of their own, not in a first row\. Leave"
    ):
        read_table(path, read)
    assert read_table(path, ReadSpec(header="yes")).header is None
