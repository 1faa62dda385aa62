"""Excel workbooks (.xlsx), read in a child process with limits."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import pyarrow.parquet as pq

from kd_core.data.files import sandbox
from kd_core.data.files.caps import check_counts
from kd_core.data.files.damage import ZIP_DAMAGE
from kd_core.data.files.frames import frame_of
from kd_core.data.files.header import Header, named, told
from kd_core.data.files.signatures import is_zip
from kd_core.data.readers import READERS
from kd_core.data.table import Table
from kd_core.data.types.columns import find_index_column
from kd_core.errors import DataError, Says
from kd_core.specs import ReadSpec

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")

_SEVERAL_SHEETS = Says(
    "several_sheets",
    "warning",
    "The workbook has {count} sheets; '{sheet}' was read. Others: {others}.",
    "Choose another sheet if this is not the one.",
)
_BEGINS_LOWER = Says("blank_rows", "note", "The table begins in row {row} of the sheet.")
_BLANK_ROWS = Says("blank_rows", "note", "{count:,} blank {count:row was|rows were} skipped.")
_MERGED_HEADER = Says(
    "merged_header",
    "warning",
    "{count} of {of} header cells are empty: the header may be merged or a title above the table.",
    "Keep one row with a name for each column above the data.",
)
_MIXED_TYPES = Says(
    "mixed_types",
    "warning",
    "Column '{column}' mixes {kinds}; it was read as text.",
    "Give the column one type in the sheet.",
)
_MACROS = Says("macros", "note", "The workbook holds macros; they were not run.")


def _is_excel(path: Path, head: bytes) -> bool:
    if head.startswith(_OLE):
        return True
    if not is_zip(head):
        return False
    if b"[Content_Types].xml" in head or b"xl/" in head[:400]:
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            return "[Content_Types].xml" in archive.namelist()
    except (*ZIP_DAMAGE, OSError):  # the zip reader then says what is wrong
        return False


@READERS.register(
    "excel",
    title="Excel workbook",
    extensions=(".xlsx", ".xlsm"),
    recognises=_is_excel,
    noun="an Excel workbook",
    starts="PK",
)
def read_excel(path: Path, read: ReadSpec, name: str) -> Table:
    """Read one sheet: the chosen one, or the first with cells. Formulas give their last saved value; macros never run.

    Errors: DataError with code `names_count`, `encrypted`, `old_excel`, `incomplete`, `xml_entities`, `no_sheet`, or a limit's code.
    """
    with path.open("rb") as file:
        if file.read(8) == _OLE:
            raise _ole_error(path, name)
    with tempfile.TemporaryDirectory(prefix="kd-") as folder:
        target = Path(folder) / "sheet.parquet"
        found = sandbox.call(
            "kd_core.data.files.workbook:extract", str(path.resolve()), read.sheet, read.header, str(target), name
        )
        table = pq.read_table(target)
    check_counts(name, table.num_rows, table.num_columns)
    first = Header(found["names"], found["sure"], found["why"], tuple(found["header"]))
    header = named(first, read)
    frame, problems = frame_of(table.rename_columns(list(header)), compared=True)
    problems += told(first, read)
    problems += find_index_column(frame, header)
    sheets = tuple(found["sheets"])
    if len(sheets) > 1 and read.sheet is None:
        others = ", ".join(s for s in sheets if s != found["sheet"])
        problems.append(
            _SEVERAL_SHEETS.problem(count=len(sheets), sheet=found["sheet"], others=others, members=list(sheets))
        )
    if found["first_row"] > 1:
        problems.append(_BEGINS_LOWER.problem(count=found["first_row"] - 1, row=found["first_row"]))
    if found["blank"]:
        problems.append(_BLANK_ROWS.problem(count=found["blank"]))
    empty = [cell for cell in first.first if not cell] if first.names and not read.names else []
    if len(empty) * 2 > len(header):
        problems.append(_MERGED_HEADER.problem(count=len(empty), of=len(header)))
    problems += [_MIXED_TYPES.problem(column, kinds=", ".join(kinds)) for column, kinds in found["mixed"]]
    if _has_macros(path):
        problems.append(_MACROS.problem())
    understood = {"format": "Excel", "sheet": found["sheet"]}
    if not first.names:
        understood["header"] = "no row of names"
    return Table(frame, "excel", understood, tuple(problems), sheets, path.stat().st_size, first)


def _ole_error(path: Path, name: str) -> DataError:
    with path.open("rb") as file:
        encrypted = _ENCRYPTED in file.read(2**20)
    if encrypted:
        return DataError(
            "{name} is a password-protected workbook.",
            "Save it without a password and upload that.",
            "encrypted",
            name=name,
        )
    return DataError(
        "{name} starts with D0 CF 11 E0: this is an old Office file (.xls, .doc), not .xlsx.",
        "Save it as .xlsx or CSV and upload that.",
        "old_excel",
        name=name,
    )


def _has_macros(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return any(n.lower().endswith("vbaproject.bin") for n in archive.namelist())
