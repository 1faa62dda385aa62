"""Pictures that a table of rows names, in the folder of that table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from kd_core import limits
from kd_core.data.pictures.naming import leads_out
from kd_core.errors import DataError


def with_files(frame: pd.DataFrame, columns: Iterable[str], folder: Path) -> pd.DataFrame:
    """Put the content of files in place of their names; an empty cell stays empty. Columns that hold no names stay.

    Errors: DataError `no_such_picture` for a name that leads out of the folder, or of no file in it.
    """
    found = {}
    for column in columns:
        if column in frame and isinstance(frame[column].dtype, pd.StringDtype):
            cells = [_content(cell, row, column, folder) for row, cell in enumerate(frame[column], 1)]
            found[column] = pd.Series(cells, frame.index, dtype="object")
    return frame.assign(**found)


def _content(cell: object, row: int, column: str, folder: Path) -> bytes | None:
    name = cell.strip().replace("\\", "/") if isinstance(cell, str) else ""
    if not name:
        return None
    path = folder / name
    outside = leads_out(name) or not path.resolve().is_relative_to(folder.resolve())
    if outside or not path.is_file() or path.stat().st_size > limits.FILE_BYTES:
        raise DataError(
            "Row {row:,} names the picture '{name}' under '{column}', which {why}.",
            "Lay the pictures beside the table and write their paths from there, or pack both as one zip.",
            "no_such_picture",
            row=row,
            name=name[:120],
            column=column,
            why=f"does not lie in {folder}" if outside or not path.is_file() else "is too large",
        )
    return path.read_bytes()
