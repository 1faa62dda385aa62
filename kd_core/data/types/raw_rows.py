"""Raw rows outside a file: dicts, lists or a data frame made into the columns that a model was taught with.

Nothing is found out from these rows: how a column is read was decided once, from the file of the run, and is kept beside the model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from kd_core.data.types.base import ColumnType
from kd_core.data.types.numbers import NumberFormat
from kd_core.data.types.typed_column import coerce
from kd_core.errors import DataError

RULES = "columns.json"  # the file that holds how columns are read
Rows = pd.DataFrame | Mapping[str, Any] | Iterable[Mapping[str, Any] | Sequence[Any]]


def write_rules(types: Mapping[str, ColumnType]) -> bytes:
    """Write how columns are read as JSON, in their order."""
    return json.dumps({name: asdict(column) for name, column in types.items()}, ensure_ascii=False, indent=1).encode()


def read_rules(data: bytes) -> dict[str, ColumnType]:
    """Read what `write_rules` wrote."""
    found = {}
    for name, told in json.loads(data).items():
        told |= {
            "number": NumberFormat(**told["number"]),
            "missing": tuple(told["missing"]),
            "truth": tuple(told["truth"]),
        }
        found[name] = ColumnType(**told)
    return found


def typed_rows(rows: Rows, types: Mapping[str, ColumnType]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read rows by the rules of known columns; return them typed, with the names of columns that are not used.

    A row is a dict by column name, or a list of values in the order of `types`; one dict is one row. None, NaN and an empty
    text are missing values. Shape: N rows -> a frame of N rows.
    Errors: DataError `columns_missing`, `row_width`.
    """
    frame = rows if isinstance(rows, pd.DataFrame) else _frame(rows, list(types))
    lacking = [name for name in types if name not in frame.columns]
    if lacking:
        raise _missing(lacking, ", ".join(map(str, frame.columns[:20])) or "none")
    typed = {name: _typed(frame[name], column) for name, column in types.items()}
    extra = tuple(str(name) for name in frame.columns if name not in types)
    return pd.DataFrame(typed, index=frame.index), extra


def _typed(values: pd.Series, column: ColumnType) -> pd.Series:
    if column.kind == "picture":
        return values
    read = coerce(values, column)
    return read.astype("category") if column.kind in ("category", "boolean") else read


def _missing(names: list[str], given: str, where: str = "") -> DataError:
    return DataError(
        "{count} column(s) are missing{where}: {names}. Given: {given}.",
        "Give every column that the model was taught with; write None, or an empty cell, where a value is missing.",
        "columns_missing",
        count=len(names),
        where=where,
        names=", ".join(names),
        given=given,
    )


def _frame(rows: Any, names: list[str]) -> pd.DataFrame:
    given = [rows] if isinstance(rows, Mapping) else list(rows)
    for number, row in enumerate(given, 1):
        if isinstance(row, Mapping):
            if lacking := [name for name in names if name not in row]:
                raise _missing(lacking, ", ".join(map(str, [*row][:20])) or "none", f" in row {number:,}")
        elif isinstance(row, str) or not isinstance(row, Sequence) or len(row) != len(names):
            raise DataError(
                "Row {number:,} is {found}; needed is a dict by column name, or a list of {width} values.",
                "In a list, values stand in this order: {names}.",
                "row_width",
                number=number,
                found=f"a list of {len(row):,} values" if isinstance(row, list | tuple) else type(row).__name__,
                width=len(names),
                names=", ".join(names),
            )
    found = [row if isinstance(row, Mapping) else dict(zip(names, row, strict=True)) for row in given]
    every = dict.fromkeys([*names, *(name for row in found for name in row)])
    return pd.DataFrame({name: pd.Series([row.get(name) for row in found], dtype="object") for name in every})
