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
    """Write how columns are read as JSON, in their order; what is as usual is left out."""
    usual = asdict(ColumnType("number"))
    told = {name: asdict(column) for name, column in types.items()}
    short = {name: {k: v for k, v in one.items() if k == "kind" or v != usual[k]} for name, one in told.items()}
    return json.dumps(short, ensure_ascii=False, indent=1).encode()


def read_rules(data: bytes) -> dict[str, ColumnType]:
    """Read what `write_rules` wrote."""
    found = {}
    for name, told in json.loads(data).items():
        plain: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in told.items()}
        found[name] = ColumnType(**plain | {"number": NumberFormat(**told.get("number", {}))})
    return found


def typed_rows(rows: Rows, types: Mapping[str, ColumnType]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read rows by the rules of known columns; return them typed, with the names of columns that are not used.

    A row is a dict by column name, or a list of values in the order of `types`; one dict is one row. None, NaN and an empty
    text are missing values. Shape: N rows -> a frame of N rows.
    Errors: DataError `columns_missing`, `row_width`.
    """
    frame = rows if isinstance(rows, pd.DataFrame) else _frame(rows, list(types))
    if lacking := [name for name in types if name not in frame.columns]:
        raise DataError(
            "{count} column(s) are missing: {names}. Given: {given}.",
            "Give every column that the model was taught with; write None, or an empty cell, where a value is missing.",
            "columns_missing",
            count=len(lacking),
            names=", ".join(lacking),
            given=", ".join(map(str, frame.columns[:20])) or "none",
        )
    typed = {name: coerce(frame[name], column) for name, column in types.items()}
    labels = {name: typed[name].astype("category") for name, c in types.items() if c.kind in ("category", "boolean")}
    return pd.DataFrame(typed | labels, frame.index), tuple(str(n) for n in frame.columns if n not in types)


def _frame(rows: Any, names: list[str]) -> pd.DataFrame:
    rows = [rows] if isinstance(rows, Mapping) else list(rows)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping) and (isinstance(row, str) or len(row) != len(names)):
            raise DataError(
                "Row {number:,} has {found:,} values; needed is a dict by column name, or a list of {width} values.",
                "In a list, values stand in this order: {names}.",
                "row_width",
                number=number,
                found=1 if isinstance(row, str) else len(row),
                width=len(names),
                names=", ".join(names),
            )
    found = [row if isinstance(row, Mapping) else dict(zip(names, row, strict=True)) for row in rows]
    given = dict.fromkeys(name for row in found for name in row)
    whole = [name for name in given if name not in names or all(name in row for row in found)]
    return pd.DataFrame({name: pd.Series([row.get(name) for row in found], dtype="object") for name in whole})
