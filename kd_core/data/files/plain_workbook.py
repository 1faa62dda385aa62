"""Workbooks of the ordinary form, read by calamine; whatever it would read in another way is left to openpyxl.

calamine takes a small part of the time, but gives nothing for error cells, rounds whole numbers of more than 15 digits,
cuts spaces off some texts and lays a sheet out from corner to corner, so that one far cell fills the memory. So the XML
of all sheets is compared with a strict outline first: a cell of any other form, and the reader is openpyxl.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import python_calamine

_STRINGS = "xl/sharedStrings.xml"
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_SPARE_CELLS = 2_000_000  # empty cells that a sheet may have in its rectangle, besides four for each that it holds
_ENCODING = re.compile(rb"encoding=[\"'](?!utf-8[\"'])", re.IGNORECASE)

# Without _x000D_ and the like, which only calamine decodes, and carriage returns, which only expat turns into line feeds.
# The quantifiers are possessive: a text of 100 MB is passed in one go and no way back is kept.
_TEXT = rb"(?:[^<\r_]++|_(?!x[0-9A-Fa-f]{4}_))"
_STRING = rb'<t(?:>(?!\s)%b++(?<!\s)| xml:space="preserve">%b++)</t>' % (_TEXT, _TEXT)
_FORMULA = rb"(?:<f(?: [^>]*)?(?:/>|>[^<]*</f>))?"
_NUMBER = rb"-?(?:[0-9]{1,15}|[0-9]+\.[0-9]+)(?:[Ee][+-]?[0-9]{1,3})?"
_CELL = re.compile(
    rb'<c r="([A-Z]{1,3})[0-9]{1,7}"(?: s="[0-9]+")?(?:'
    rb'(?: t="n")?(?: ?/>|>%b(?:<v>(?:%b)?</v>|<v ?/>)</c>)'
    % (_FORMULA, _NUMBER)
    + rb'| t="s"><v>[0-9]+</v></c>'
    + rb'| t="b">%b<v>[01]</v></c>' % _FORMULA
    + rb'| t="str">%b<v>%b*+</v></c>' % (_FORMULA, _TEXT)
    + rb'| t="inlineStr"><is>%b</is></c>)' % _STRING
)
_ROW = re.compile(rb'<row r="([0-9]{1,7})"')
_ANY_CELL, _ANY_ROW = re.compile(rb"<c[\s/>]"), re.compile(rb"<row[\s/>]")
_SHARED, _ANY_SHARED = re.compile(rb"<si>%b</si>" % _STRING), re.compile(rb"<si[\s/>]")


class NotPlain(Exception):
    """The workbook holds something that calamine reads in another way than openpyxl."""


class PlainWorkbook:
    """A workbook of the ordinary form.

    Errors: NotPlain when it has another form.
    """

    def __init__(self, path: Path) -> None:
        try:
            self.book = python_calamine.load_workbook(path)
        except python_calamine.CalamineError as error:  # damage: openpyxl's way to tell it is kept
            raise NotPlain(str(error)) from error
        self.titles = self.book.sheet_names
        _check_outline(path, len(self.titles))

    def rows(self, title: str) -> Iterator[list[Any]]:
        """Read the rows of a sheet from the first one, empty ones included; None for an empty cell.

        Errors: NotPlain at a time of day, a duration, or a cell that can't be read.
        """
        try:
            sheet = self.book.get_sheet_by_name(title)
        except python_calamine.CalamineError as error:
            raise NotPlain(str(error)) from error
        before = [None] * (sheet.start[1] if sheet.start else 0)
        for row in sheet.iter_rows():
            yield before + [_value(cell) for cell in row]


def _value(cell: Any) -> Any:
    """Give a cell the type that openpyxl gives it."""
    kind = type(cell)
    if kind is str:
        return cell or None
    if kind is float:
        return int(cell) if cell.is_integer() and abs(cell) < 1e15 else cell
    if kind is dt.date:
        return dt.datetime.combine(cell, dt.time())
    if kind is bool or kind is dt.datetime:
        return cell
    raise NotPlain(f"a cell holds a {kind.__name__}")  # of some of these calamine drops the day


def _check_outline(path: Path, num_sheets: int) -> None:
    """Compare the XML of all sheets and of their shared texts with the outline of ordinary cells."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        sheets = [name for name in names if _SHEET.fullmatch(name)]
        if len(set(names)) < len(names) or len(sheets) != num_sheets:
            raise NotPlain("a sheet is a chart, or lies in an unusual place")
        for name in sheets:
            _check_sheet(archive.read(name))
        if _STRINGS in names:
            shared = archive.read(_STRINGS)
            if _ENCODING.search(shared[:200]) or _count(_SHARED, shared) != _count(_ANY_SHARED, shared):
                raise NotPlain("shared texts have an unusual form")


def _check_sheet(xml: bytes) -> None:
    if _ENCODING.search(xml[:200]) or b"<sheetData" not in xml:
        raise NotPlain("a sheet has an unusual form")
    columns = _CELL.findall(xml)
    rows = np.array(_ROW.findall(xml), "S7").astype(np.int64)
    if len(columns) != _count(_ANY_CELL, xml) or len(rows) != _count(_ANY_ROW, xml):
        raise NotPlain("a cell or a row has an unusual form")
    if not len(rows):
        return
    widest = max(set(columns), key=lambda letters: (len(letters), letters), default=b"A")
    width = sum((letter - 64) * 26**place for place, letter in enumerate(reversed(widest)))
    if (np.diff(rows) <= 0).any() or width * int(rows[-1]) > 4 * len(columns) + _SPARE_CELLS:
        raise NotPlain("the rows are out of order, or cells lie far apart")


def _count(pattern: re.Pattern[bytes], data: bytes) -> int:
    return sum(1 for _ in pattern.finditer(data))
