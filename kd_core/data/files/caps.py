"""The caps on rows, columns and cells, applied before values are read. Imports nothing heavy: child processes use it."""

from __future__ import annotations

from typing import Any

from kd_core import limits
from kd_core.errors import DataError, Problem, Says

_NESTED = Says(
    "nested_column",
    "error",
    "{prefix} '{column}' is nested ({kind}), not one value per row.",
    "Flatten it before uploading, or leave it out.",
)


def check_counts(name: str, rows: int, columns: int) -> None:
    """Refuse a table over the caps before its values are read.

    Errors: DataError with code `no_rows`, `too_many_columns`, `too_many_rows` or `too_many_cells`.
    """
    if columns > limits.COLUMNS:
        raise DataError(
            "{name} has {columns:,} columns; at most {limit:,} are read.",
            "Leave out columns, or turn the table if rows and columns are swapped.",
            "too_many_columns",
            name=name,
            columns=columns,
            limit=limits.COLUMNS,
        )
    if rows == 0 or columns == 0:
        raise DataError(
            "No data rows; {columns} {columns:column|columns} found.",
            "Check that the export holds rows below the header.",
            "no_rows",
            columns=columns,
        )
    if rows > limits.ROWS:
        raise DataError(
            "{name} has {rows:,} rows; at most {limit:,} are read.",
            "Take a sample of the rows.",
            "too_many_rows",
            name=name,
            rows=rows,
            limit=limits.ROWS,
        )
    if rows * columns > limits.CELLS:
        raise DataError(
            "{name} has {cells:,} cells; at most {limit:,} are read.",
            "Take a sample of the rows, or drop columns.",
            "too_many_cells",
            name=name,
            cells=rows * columns,
            limit=limits.CELLS,
        )


def check_bytes(name: str, size: int) -> None:
    """Refuse a table that takes too much memory once every row holds its own values.

    Errors: DataError with code `unpacks_too_large`.
    """
    if size > limits.ZIP_TOTAL_BYTES:
        raise DataError(
            "{name} unpacks to more than {limit:,} MB, the most that is read.",
            "Take a sample of the rows.",
            "unpacks_too_large",
            name=name,
            total=size // 2**20,
            limit=limits.ZIP_TOTAL_BYTES // 2**20,
        )


def nested_column(field: Any, prefix: str = "Column") -> Problem:
    """Describe a column whose cells are lists or records. `field` is an Arrow field."""
    return _NESTED.problem(field.name, 1, prefix=prefix, kind=str(field.type)[:80])
