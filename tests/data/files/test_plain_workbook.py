"""Odd workbooks, read twice: as they are read, and by openpyxl alone. What becomes of them must be the same."""

import datetime as dt
import io
import random
import re
import zipfile

import openpyxl
import pandas as pd
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.chart import BarChart
from openpyxl.styles import PatternFill
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from kd_core.data.files import sandbox, workbook
from kd_core.data.files.plain_workbook import NotPlain, PlainWorkbook
from kd_core.data.files.reading import read_table
from kd_core.data.preparation import prepare, profile_source
from kd_core.specs import DatasetSpec

ROWS = 60
CONTENT = b"application/vnd.openxmlformats-officedocument.spreadsheetml"
RELATION = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HEADER = ["n", "odd", "x", "bought"]
B4 = b'<c r="B4" t="n"><v>2</v>'
SHARED = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s</sst>'
DAY = dt.datetime(2024, 1, 2, 3, 4, 5, 678901)


def sheet_of(odd, style=None, book=None, title="data", above=0, left=0):
    """A sheet of 60 rows with one odd column: odd(i) gives its cells."""
    book = book or openpyxl.Workbook()
    if book.sheetnames == ["Sheet"]:
        book.remove(book.active)
    sheet = book.create_sheet(title)
    draw = random.Random(0)
    rows = [HEADER]
    rows += [[draw.randrange(1000), odd(i), draw.gauss(0, 1), draw.choice(["yes", "no"])] for i in range(ROWS)]
    for at, row in enumerate(rows, 1 + above):
        for column, value in enumerate(row, 1 + left):
            cell = sheet.cell(at, column)
            cell.value = value
            if style and column == 2 + left and at > 1 + above:
                cell.number_format = style
    return sheet


def packed(sheet, change=None):
    """The bytes of a workbook, its parts changed: change(name, bytes) -> bytes."""
    out, again = io.BytesIO(), io.BytesIO()
    sheet.parent.save(out)
    if change is None:
        return out.getvalue()
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return again.getvalue()


def in_sheet(old, new, times=-1):
    """A change of the first sheet's XML."""

    def change(name, content):
        if name != "xl/worksheets/sheet1.xml":
            return content
        assert old in content
        return content.replace(old, new, times)

    return change


def with_point_zero(name, content):
    """Write whole numbers as some programs do: 3.0."""
    return re.sub(rb"<v>(\d+)</v>", rb"<v>\1.0</v>", content) if name == "xl/worksheets/sheet1.xml" else content


def shared(texts):
    """A workbook whose texts lie in a table, as spreadsheet programs write them; `texts` are those of the odd column."""
    known = [*(f"<t>{name}</t>" for name in (*HEADER, "yes", "no")), *texts]
    mark = b' t="inlineStr"><is>'

    def change(name, content):
        if name == "[Content_Types].xml":
            part = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s.sharedStrings+xml"/></Types>' % CONTENT
            return content.replace(b"</Types>", part)
        if name == "xl/_rels/workbook.xml.rels":
            return content.replace(
                b"</Relationships>",
                b'<Relationship Id="rS" Type="%s/sharedStrings" ' % RELATION
                + b'Target="/xl/sharedStrings.xml"/></Relationships>',
            )
        if name != "xl/worksheets/sheet1.xml":
            return content
        first, *rest = content.split(mark)
        made = [first]
        for part in rest:
            inner, after = part.split(b"</is></c>", 1)
            plain = inner.decode()
            at = known.index(plain) if plain in known else len(HEADER) + 2 + int(plain[8]) % len(texts)
            made.append(b' t="s"><v>%d</v></c>' % at + after)
        return b"".join(made)

    content = packed(sheet_of(text), change)
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", SHARED % "".join(f"<si>{known_text}</si>" for known_text in known))
    return out.getvalue()


def text(i):
    return f"word {i % 7}"


def whole_numbers(change=None):
    return packed(sheet_of(lambda i: i % 9), change)


def odd(cell, style=None):
    return packed(sheet_of(cell, style))


def changed(change):
    """A workbook with a column of words, changed by openpyxl."""
    sheet = sheet_of(text)
    change(sheet)
    return packed(sheet)


def merged(sheet):
    sheet.merge_cells("B2:B5")


def hidden(sheet):
    sheet.row_dimensions[5].hidden = sheet.column_dimensions["A"].hidden = True


def second_sheet(sheet):
    sheet_of(lambda i: i * 2.5, book=sheet.parent, title="second")


def hidden_sheet(sheet):
    sheet_of(text, book=sheet.parent, title="kept").sheet_state = "hidden"


def empty_first_sheet(sheet):
    sheet.parent.create_sheet("nothing", 0)


def years_from_1904(sheet):
    sheet.parent.epoch = CALENDAR_MAC_1904
    for i in range(ROWS):
        sheet.cell(i + 2, 2).value = DAY + dt.timedelta(days=i)


def colours_beyond(sheet):
    for row in sheet.iter_rows(min_row=1, max_row=ROWS + 1, max_col=30):
        for cell in row:
            cell.fill = PatternFill("solid", "FFFF00")


def far_cell(sheet):
    sheet["K30"] = "far"


def years_and_days_as_names(sheet):
    sheet["A1"], sheet["B1"], sheet["C1"] = 2024, dt.datetime(2024, 1, 2), 2025


def chart(sheet):
    sheet.parent.create_chartsheet("picture").add_chart(BarChart())


def bold(i):
    return CellRichText("a ", TextBlock(InlineFont(b=True), f"bold {i % 5}"))


CALAMINE, OPENPYXL = True, False
CASES = {
    "whole numbers": (CALAMINE, whole_numbers),
    "decimals": (CALAMINE, lambda: odd(lambda i: i / 7)),
    "very large and small": (CALAMINE, lambda: odd(lambda i: 1.7 * 10.0 ** (i * 9 - 270))),
    "percent": (CALAMINE, lambda: odd(lambda i: i / 100, "0.0%")),
    "currency": (CALAMINE, lambda: odd(lambda i: i * 1.25, '_-* #,##0.00\\ "kr"_-;-* #,##0.00\\ "kr"_-')),
    "euro": (CALAMINE, lambda: odd(lambda i: i * 1.25, "#,##0.00\\ [$€-407]")),
    "letters in a number format": (CALAMINE, lambda: odd(lambda i: i, '0 "days";[Red]-0\\d')),
    "days": (CALAMINE, lambda: odd(lambda i: dt.date(2024, 1, 1) + dt.timedelta(days=i))),
    "days around the 29th of February 1900": (CALAMINE, lambda: odd(lambda i: i + 30, "yyyy-mm-dd")),
    "moments": (CALAMINE, lambda: odd(lambda i: DAY + dt.timedelta(days=i, seconds=i * 1.7))),
    "days with Chinese signs": (CALAMINE, lambda: odd(lambda i: 45000 + i, 'yyyy"年"m"月"d"日"')),
    "years from 1904": (CALAMINE, lambda: changed(years_from_1904)),
    "times of day": (OPENPYXL, lambda: odd(lambda i: dt.time(i % 24, i))),
    "durations": (OPENPYXL, lambda: odd(lambda i: dt.timedelta(hours=i * 3 + 1), "[h]:mm:ss")),
    "negative days": (OPENPYXL, lambda: odd(lambda i: i - 3, "yyyy-mm-dd")),
    "yes and no": (CALAMINE, lambda: odd(lambda i: i % 3 == 0)),
    "numbers as text": (CALAMINE, lambda: odd(lambda i: f"{i:05d}")),
    "numbers and words": (OPENPYXL, lambda: odd(lambda i: "n/a" if i % 5 == 0 else i * 1.5)),
    "days and words": (OPENPYXL, lambda: odd(lambda i: "later" if i % 5 == 0 else dt.date(2024, 1, 1 + i % 28))),
    "empty cells": (CALAMINE, lambda: odd(lambda i: None if i % 4 else text(i))),
    "an empty column": (CALAMINE, lambda: odd(lambda i: None)),
    "spaces around texts": (CALAMINE, lambda: odd(lambda i: f"  {text(i)} ")),
    "line breaks and marks": (CALAMINE, lambda: odd(lambda i: f"a\nb & <{i % 5}> \"q\" 'p' 日本語 \U0001f600 a_b_x1")),
    "very long texts": (CALAMINE, lambda: odd(lambda i: f"{i} " + "long words " * 400)),
    "texts that are all spaces": (OPENPYXL, lambda: odd(lambda i: " " * (1 + i % 3))),
    "no-break spaces": (CALAMINE, lambda: odd(lambda i: f"\u00a0{text(i)}\u3000")),
    "error cells": (OPENPYXL, lambda: odd(lambda i: "#DIV/0!" if i % 9 == 0 else i)),
    "formulas without values": (CALAMINE, lambda: odd(lambda i: "=1+1")),
    "formulas with values": (CALAMINE, lambda: whole_numbers(in_sheet(B4, b'<c r="B4"><f>A4*2</f><v>2</v>'))),
    "formulas with empty texts": (
        CALAMINE,
        lambda: whole_numbers(in_sheet(B4, b'<c r="B4" t="str"><f t="shared" si="0"/><v></v>')),
    ),
    "shared texts": (
        CALAMINE,
        lambda: shared(["<t>a b</t>", '<t xml:space="preserve"> c </t>', "<t>d &amp; &#233;</t>"]),
    ),
    "shared texts with spaces that may be cut": (OPENPYXL, lambda: shared(["<t> a</t>", "<t>b</t>"])),
    "shared texts with spaces at their end": (OPENPYXL, lambda: shared(["<t>a </t>", "<t>b</t>"])),
    "shared texts that are empty": (OPENPYXL, lambda: shared(["<t/>", "<t>b</t>"])),
    "shared texts in pieces": (OPENPYXL, lambda: shared(["<r><t>a</t></r><r><t>b</t></r>", "<t>b</t>"])),
    "shared texts with readings": (OPENPYXL, lambda: shared(['<t>a</t><rPh sb="0" eb="1"><t>b</t></rPh>', "<t>b</t>"])),
    "shared texts with carriage returns": (OPENPYXL, lambda: shared(["<t>a\r\nb</t>", "<t>b</t>"])),
    "years and days as names": (CALAMINE, lambda: changed(years_and_days_as_names)),
    "merged cells": (CALAMINE, lambda: changed(merged)),
    "hidden rows and columns": (CALAMINE, lambda: changed(hidden)),
    "empty rows above and columns before": (CALAMINE, lambda: packed(sheet_of(text, above=4, left=2))),
    "several sheets": (CALAMINE, lambda: changed(second_sheet)),
    "a hidden sheet": (CALAMINE, lambda: changed(hidden_sheet)),
    "an empty first sheet": (CALAMINE, lambda: changed(empty_first_sheet)),
    "a sheet that is a chart": (OPENPYXL, lambda: changed(chart)),
    "colours beyond the columns": (CALAMINE, lambda: changed(colours_beyond)),
    "a cell far to the right": (CALAMINE, lambda: changed(far_cell)),
    "bold words": (OPENPYXL, lambda: odd(bold)),
    "long numbers": (OPENPYXL, lambda: whole_numbers(in_sheet(B4, b'<c r="B4"><v>100000000000000001</v>'))),
    "decimals that end in .0": (CALAMINE, lambda: whole_numbers(with_point_zero)),
    "spelled in single quotes": (OPENPYXL, lambda: whole_numbers(in_sheet(b'<c r="B4"', b"<c r='B4'"))),
    "cells without a place": (OPENPYXL, lambda: whole_numbers(in_sheet(b'<c r="B4"', b"<c"))),
    "rows without a number": (OPENPYXL, lambda: whole_numbers(in_sheet(b'<row r="4"', b"<row"))),
    "rows out of order": (OPENPYXL, lambda: whole_numbers(in_sheet(b'<row r="50"', b'<row r="5"'))),
    "carriage returns by escape": (OPENPYXL, lambda: odd(lambda i: f"a{i % 5}_x000D_")),
    "texts in CDATA": (OPENPYXL, lambda: whole_numbers(in_sheet(B4, b'<c r="B4" t="str"><v><![CDATA[2]]></v>'))),
    "days by ISO 8601": (OPENPYXL, lambda: whole_numbers(in_sheet(B4, b'<c r="B4" t="d"><v>2024-01-02</v>'))),
    "another encoding": (
        OPENPYXL,
        lambda: whole_numbers(in_sheet(b"<worksheet", b'<?xml version="1.0" encoding="latin-1"?><worksheet', 1)),
    ),
}


def read_in(path, root):
    table = read_table(path)
    profile = profile_source(str(path), root=root, target="bought")
    dataset = prepare(DatasetSpec(source=str(path), target="bought"), root)
    return table, profile, dataset


class Never(PlainWorkbook):
    def __init__(self, path):
        raise NotPlain("asked not to")


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_both_readers_agree(tmp_path, monkeypatch, name):
    reader, make = CASES[name]
    path = tmp_path / "odd.xlsx"
    path.write_bytes(make())
    refused = []

    def watched(*arguments):
        try:
            return real(*arguments)
        except NotPlain as error:
            refused.append(str(error))
            raise

    real = workbook._extracted
    monkeypatch.setattr(sandbox, "call", lambda _, *arguments: workbook.extract(*arguments))
    monkeypatch.setattr(workbook, "_extracted", watched)
    try:
        PlainWorkbook(path)
    except NotPlain as error:
        refused.append(str(error))
    table, profile, dataset = read_in(path, tmp_path / "one")
    assert (not refused) is reader, refused

    monkeypatch.setattr(workbook, "PlainWorkbook", Never)
    other, other_profile, other_dataset = read_in(path, tmp_path / "two")
    assert table.problems == other.problems and table.header == other.header and table.members == other.members
    pd.testing.assert_frame_equal(profile.frame, other_profile.frame)
    assert [(c.name, c.kind) for c in profile.columns] == [(c.name, c.kind) for c in other_profile.columns]
    assert dataset.view().view.types == other_dataset.view().view.types
    assert dataset.problems == other_dataset.problems
    assert dataset.hash == other_dataset.hash
    for part in ("train", "validation", "test"):
        assert dataset.view().parts[part].tobytes() == other_dataset.view().parts[part].tobytes()
        assert dataset.parts[part].y.tobytes() == other_dataset.parts[part].y.tobytes()
