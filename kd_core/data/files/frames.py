"""Arrow columns made into a frame that the rest of the engine can rely on, within the caps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kd_core import limits
from kd_core.data.types.columns import name_columns
from kd_core.errors import Problem, Says, raise_problems

_TOO_LONG = Says(
    "cell_too_long",
    "error",
    "Column '{column}': {count:,} {count:cell|cells} longer than {limit} KB, in row {where} (the longest has {longest:,} bytes).",
    "A quote may be missing its partner; otherwise shorten the cell.",
)


def long_cells(table: pa.Table, names: list[str]) -> list[Problem]:
    """Report text cells over the size cap, column by column with row numbers."""
    problems = []
    for label, column in zip(names, table.columns, strict=True):
        if not (pa.types.is_large_string(column.type) or pa.types.is_string(column.type)):
            continue
        size = pc.binary_length(column)
        longest = pc.max(size).as_py() or 0
        if longest <= limits.CELL_BYTES:
            continue
        found = pc.indices_nonzero(pc.greater(size, limits.CELL_BYTES))
        rows = tuple(int(row) + 1 for row in found[: limits.EXAMPLE_ROWS].to_pylist())
        problems.append(
            _TOO_LONG.problem(
                label,
                len(found),
                rows,
                limit=limits.CELL_BYTES // 1000,
                where=", ".join(f"{row:,}" for row in rows),
                longest=longest,
            )
        )
    return problems


def frame_of(table: pa.Table, *, compared: bool = False) -> tuple[pd.DataFrame, list[Problem]]:
    """Make a frame of natively typed columns: text as pandas strings, numbers, booleans and times as they are.

    Errors: DataError naming cells over the size cap.
    """
    return frame_of_columns(tuple(str(name) for name in table.column_names), iter(table.columns), compared=compared)


def frame_of_columns(
    names: tuple[str, ...], columns: Iterator[pa.ChunkedArray], *, compared: bool = False
) -> tuple[pd.DataFrame, list[Problem]]:
    """Make a frame from columns taken one at a time, so that a reader need not hold them twice.

    Errors: as `frame_of`.
    """
    shown, problems = name_columns(names, compared=compared)
    long: list[Problem] = []
    held: list[pd.Series] = []
    for label, column in zip(shown, columns, strict=True):
        plain = pa.table([_plain(column)], names=["0"])
        del column
        long += long_cells(plain, [label])
        held.append(plain.to_pandas(ignore_metadata=True)["0"])
    raise_problems(long)
    frame = pd.DataFrame(dict(enumerate(held)), copy=False)
    frame.columns = pd.Index(shown, dtype="str")
    return frame, problems


def seconds(column: Any) -> Any:
    """Read durations of any unit as seconds; nanoseconds that no microsecond holds are kept as far as float64 can."""
    per_second = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[column.type.unit]
    return pc.divide(pc.cast(pc.cast(column, pa.int64()), pa.float64(), safe=False), per_second)


def _has_zone(kind: Any) -> bool:
    """Say whether times have a zone, be it one that nobody knows or whose name is no text."""
    try:
        return kind.tz is not None
    except UnicodeDecodeError:
        return True


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cast what pandas would turn into Python objects; keep integers with gaps as floats only when exact."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _plain(column.cast(kind.value_type))
    if pa.types.is_duration(kind):
        return seconds(column)
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_timestamp(kind) and _has_zone(kind):
        return column.cast(pa.timestamp(kind.unit, tz="UTC"))
    if pa.types.is_date(kind):
        return column.cast(pa.timestamp("ms"))
    if pa.types.is_time(kind) or pa.types.is_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.large_string())
    if pa.types.is_null(kind):
        return column.cast(pa.large_string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.chunked_array(
            [pa.array([None if v is None else v.hex() for v in column.to_pylist()], pa.large_string())]
        )
    if pa.types.is_boolean(kind) and column.null_count:
        return column.cast(pa.large_string())
    return column
