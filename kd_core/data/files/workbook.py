"""Inside the limited child process: one sheet of a workbook written as Parquet columns."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import openpyxl.xml
import pyarrow as pa
import pyarrow.parquet as pq
from defusedxml.common import DefusedXmlException

from kd_core import limits
from kd_core.data.files.caps import check_bytes
from kd_core.data.files.damage import ZIP_DAMAGE, in_words, is_damage
from kd_core.data.files.header import decide
from kd_core.data.files.plain_workbook import NotPlain, PlainWorkbook
from kd_core.errors import DataError

_CHUNK = 1024 * 1024
_SAMPLE_ROWS = 200  # rows that the first one is compared with


def extract(path: str, sheet: str | None, asked: str, target: str, name: str) -> dict[str, Any]:
    """Write a sheet's cells to `target` and say what was found: sheets, header, mixed columns, skipped rows.

    Errors: DataError with code `incomplete`, `xml_entities`, `no_sheet`, `no_rows` or a cap's code.
    """
    try:
        _check_parts(Path(path), name)
        try:
            return _extracted(PlainWorkbook(Path(path)), sheet, asked, target, name)
        except NotPlain:
            return _extracted(_AnyWorkbook(path), sheet, asked, target, name)
    except DefusedXmlException:
        raise DataError(
            "{name} contains XML entities, which can make a small file explode.",
            "Save it again with a spreadsheet program.",
            "xml_entities",
            name=name,
        ) from None
    except (*ZIP_DAMAGE, OSError, KeyError, SyntaxError, TypeError, AttributeError, IndexError) as error:
        if isinstance(error, OSError) and not is_damage(error):
            raise
        raise DataError(
            "{name} is incomplete or damaged ({reason}).",
            "Upload it again.",
            "incomplete",
            name=name,
            reason=in_words(error),
        ) from None


class _AnyWorkbook:
    """A workbook of any form, read by openpyxl."""

    def __init__(self, path: str) -> None:
        assert openpyxl.xml.DEFUSEDXML  # without defusedxml, openpyxl has no guard against entity bombs
        content = io.BytesIO(Path(path).read_bytes())  # by path it refuses kept files: their names end in nothing
        self.book = openpyxl.load_workbook(content, read_only=True, data_only=True, keep_links=False)
        self.titles = [sheet.title for sheet in self.book.worksheets]

    def rows(self, title: str) -> Iterable[Sequence[Any]]:
        """Read the rows of a sheet one after the other."""
        sheet = self.book[title]
        sheet.reset_dimensions()  # the declared size may lie in both directions
        # No max_col: gaps then come as empty tuples, so a far cell costs no width.
        rows: Iterable[Sequence[Any]] = sheet.iter_rows(values_only=True)
        return rows


def _extracted(
    book: PlainWorkbook | _AnyWorkbook, sheet: str | None, asked: str, target: str, name: str
) -> dict[str, Any]:
    if sheet is not None and sheet not in book.titles:
        raise DataError(
            "{name} has no sheet {sheet!r}.",
            "It holds: {sheets}.",
            "no_sheet",
            name=name,
            sheet=sheet,
            sheets=", ".join(book.titles),
        )
    for title in [sheet] if sheet else book.titles:
        first, columns, first_row, blank = _cells(book.rows(title))
        if first:
            break
    else:
        raise DataError("{name} has no cells.", "Check that the right file was saved.", "no_rows", name=name)
    header = ["" if v is None else str(v) for v in first]
    texts = [
        ["" if v is None else str(v) for v in row] for row in zip(*(c[:_SAMPLE_ROWS] for c in columns), strict=True)
    ]
    found = decide(header, texts, asked)
    if not found.names:
        columns = [[value, *cells] for value, cells in zip(first, columns, strict=True)]
    arrays, mixed = [], []
    for position, cells in enumerate(columns):
        array, kinds = _typed(cells)
        arrays.append(array)
        check_bytes(name, sum(a.nbytes for a in arrays))  # cells may share one long text in the file
        if kinds and isinstance(book, PlainWorkbook):
            raise NotPlain("a column mixes kinds: their texts depend on the reader")
        if kinds:
            mixed.append([header[position] if found.names else f"column {position + 1}", kinds])
    pq.write_table(pa.table(arrays, names=[str(i) for i in range(len(arrays))]), target)
    return {
        "sheets": book.titles,
        "sheet": title,
        "header": header,
        "first_row": first_row,
        "mixed": mixed,
        "blank": blank,
        "names": found.names,
        "sure": found.sure,
        "why": found.why,
    }


def _check_parts(path: Path, name: str) -> None:
    """Bound the unpacked size and refuse entity declarations before any XML parser sees them."""
    with zipfile.ZipFile(path) as archive:
        if sum(i.file_size for i in archive.infolist()) > limits.ZIP_TOTAL_BYTES:
            raise DataError(
                "{name} unpacks to more than {limit:,} MB.",
                "Save the sheet as CSV.",
                "unpacks_too_large",
                name=name,
                limit=limits.ZIP_TOTAL_BYTES // 2**20,
            )
        for info in archive.infolist():
            if info.filename.endswith((".xml", ".rels")):
                with archive.open(info) as part:
                    if b"<!ENTITY" in part.read(_CHUNK):
                        raise DataError(
                            "{name} contains XML entities, which can make a small file explode.",
                            "Save it again with a spreadsheet program.",
                            "xml_entities",
                            name=name,
                        )


def _cells(found: Iterable[Sequence[Any]]) -> tuple[list[Any], list[list[Any]], int, int]:
    """Read cells row by row within the caps: (first row, columns below it, number of the first row, blank rows)."""
    first: list[Any] = []
    columns: list[list[Any]] = []
    first_row = blank = rows = 0
    for number, row in enumerate(found, 1):
        if all(value is None or value == "" for value in row):
            blank += bool(first)
            if number > limits.ROWS // 25 and not first:
                break
            if blank > limits.ROWS // 25:
                raise DataError(
                    "The sheet has {blank:,} blank rows between its cells.",
                    "Delete the empty rows below the table.",
                    "far_cell",
                    blank=blank,
                )
            continue
        if not first:
            first_row = number
            last = max(i for i, v in enumerate(row) if v is not None)
            first = list(row[: last + 1])
            columns = [[] for _ in first]
            continue
        rows += 1
        _check_width(row, len(columns))
        if len(row) > len(columns):
            filled = max(i for i, v in enumerate(row) if v is not None) + 1
            for _ in range(filled - len(columns)):
                first.append(None)
                columns.append([None] * (rows - 1))
        for i, column in enumerate(columns):
            column.append(row[i] if i < len(row) else None)
        if rows > limits.ROWS or rows * len(columns) > limits.CELLS:
            raise DataError(
                "The sheet has more than {limit:,} rows.",
                "Take a sample of the rows.",
                "too_many_rows",
                limit=limits.ROWS,
            )
    return first, columns, first_row, blank


def _check_width(row: Sequence[Any], width: int) -> None:
    if len(row) > limits.COLUMNS and any(v is not None for v in row[limits.COLUMNS :]):
        raise DataError(
            "The sheet has cells beyond column {limit:,}.",
            "Delete far-away cells, or leave out columns.",
            "too_many_columns",
            limit=limits.COLUMNS,
        )


def _typed(cells: list[Any]) -> tuple[pa.Array, list[str]]:
    """Keep a column's type when it has one; mixed columns become text, and their kinds are returned."""
    kinds = {_kind(v) for v in cells if v is not None}
    if not kinds:
        return pa.array(cells, pa.large_string()), []
    if kinds == {"number"}:
        whole = all(v is None or (isinstance(v, int) and abs(v) < 2**62) for v in cells)
        return pa.array(
            [v if v is None or whole else float(v) for v in cells], pa.int64() if whole else pa.float64()
        ), []
    if kinds == {"yes/no"}:
        return pa.array(cells, pa.bool_()), []
    if kinds == {"date"}:
        return pa.array([_moment(v) for v in cells], pa.timestamp("ms")), []
    text = pa.array([None if v is None else str(v) for v in cells], pa.large_string())
    return text, sorted(kinds) if len(kinds) > 1 else []


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "yes/no"
    if isinstance(value, int | float):
        return "number"
    return "date" if isinstance(value, dt.datetime | dt.date) else "text"


def _moment(value: Any) -> Any:
    return dt.datetime.combine(value, dt.time()) if type(value) is dt.date else value
