"""Raw rows outside a file: dicts, lists or a data frame made into the columns that a model was taught with.

Nothing is found out from these rows: how a column is read was decided once, from the file of the run, and is kept beside the model.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence, Sized
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.plain.counted import plural
from kd_core.data.types import dates
from kd_core.data.types.base import ColumnType, row_numbers, shown_rows
from kd_core.data.types.cells import kind_of
from kd_core.data.types.numbers import NumberFormat
from kd_core.data.types.typed_column import coerce
from kd_core.errors import DataError

RULES = "columns.json"  # the file that holds how columns are read
_MANY = (list, tuple, set, dict, np.ndarray, pd.Series)
Array = npt.NDArray[Any]
Cells = list[Any] | pd.Series
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
        plain: dict[str, Any] = {"kind": "number"}  # left out in the file of a student
        plain |= {key: tuple(v) if isinstance(v, list) else v for key, v in told.items()}
        found[name] = ColumnType(**plain | {"number": NumberFormat(**told.get("number", {}))})
    return found


def typed_rows(rows: Rows, types: Mapping[str, ColumnType]) -> tuple[pd.DataFrame, tuple[str, ...], tuple[str, ...]]:
    """Read rows by the rules of known columns; return them typed, the names of columns that are not used, and what was lost.

    A row is a dict by column name, or a list of values in the order of `types`; one dict is one row. None, NaN and an empty
    text are missing values; what is no number or time where one is needed counts as missing, and is told.
    Shape: N rows -> a frame of N rows.
    Errors: DataError as `columns_of`.
    """
    cells, extra = columns_of(rows, list(types))
    index = rows.index if isinstance(rows, pd.DataFrame) else None
    given = {n: c if isinstance(c, pd.Series) else pd.Series(c, dtype="object", name=n) for n, c in cells.items()}
    typed = {name: coerce(given[name], column) for name, column in types.items()}
    told = tuple(
        said for n, column in types.items() if (said := lost_values(given[n], typed[n].isna().to_numpy(bool), column))
    )
    labels = {name: typed[name].astype("category") for name, c in types.items() if c.kind in ("category", "boolean")}
    return pd.DataFrame(typed | labels, index), extra, told


def columns_of(rows: Rows, names: Sequence[str]) -> tuple[dict[str, Cells], tuple[str, ...]]:
    """Sort rows into columns; return the cells of each named one, and the names of the others.

    Shape: N rows -> lists of N cells, or the columns of a data frame.
    Errors: DataError `columns_missing`, `columns_twice`, `row_width`, `cell_of_many`.
    """
    if isinstance(rows, pd.DataFrame):
        _require(names, rows.columns)
        found: dict[str, Cells] = {name: rows[name] for name in names}
        if twice := [name for name, column in found.items() if isinstance(column, pd.DataFrame)]:
            raise DataError(
                "{count} {count:column is|columns are} given more than once: {names}.",
                "Keep one column of each name.",
                "columns_twice",
                count=len(twice),
                names=", ".join(twice),
            )
        if len(rows.columns) == len(names):
            return found, ()
        return found, tuple(str(n) for n in rows.columns if n not in set(names))
    alone = isinstance(rows, Mapping | pd.Series | str) or not isinstance(rows, Iterable)
    told = [_as_dict(row, number, names) for number, row in enumerate([rows] if alone else rows, 1)]
    try:
        cells: dict[str, Cells] = {name: [row[name] for row in told] for name in names}
    except KeyError:
        for number, row in enumerate(told, 1):
            _require(names, row, f"Row {number:,}: ")
        raise
    for name, column in cells.items():
        if any(issubclass(kind, _MANY) for kind in set(map(type, column))):
            number, many = next((i, cell) for i, cell in enumerate(column, 1) if isinstance(cell, _MANY))
            raise DataError(
                "Row {number:,} holds a {noun} under '{name}'; a cell is one value.",
                "Give one dict a row; make a dict of whole columns a data frame first.",
                "cell_of_many",
                number=number,
                noun=type(many).__name__,
                name=name,
            )
    more = dict.fromkeys(name for row in told if len(row) > len(names) for name in row)
    return cells, tuple(str(n) for n in more if n not in set(names))


def _as_dict(row: Any, number: int, names: Sequence[str]) -> Mapping[str, Any]:
    if isinstance(row, Mapping):
        return row
    if isinstance(row, pd.Series):
        told: dict[Any, Any] = row.to_dict()
        return told
    single = isinstance(row, str | bytes) or not isinstance(row, Sized)
    if single or len(row) != len(names):
        raise DataError(
            "Row {number:,} has {found}; needed is a dict by column name, or a list of {width}.",
            "In a list, values stand in this order: {names}. One row alone is a list in a list.",
            "row_width",
            number=number,
            found=plural(1 if single else len(row), "value"),
            width=plural(len(names), "value"),
            names=", ".join(names),
        )
    return dict(zip(names, row, strict=True))


def _require(names: Iterable[str], given: Collection[Any], place: str = "") -> None:
    if lacking := [name for name in names if name not in given]:
        raise DataError(
            "{place}{count} {count:column is|columns are} missing: {names}. Given: {given}.",
            "Give every column that the model was taught with, in a file laid out as the run's own; write None, or an empty "
            "cell, where a value is missing.",
            "columns_missing",
            place=place,
            count=len(lacking),
            names=", ".join(lacking),
            given=", ".join(map(str, list(given)[:20])) or "none",
        )


def unused(extra: Sequence[str]) -> tuple[str, ...]:
    """Tell which columns are not used, if any."""
    return (f"{plural(len(extra), 'column is', 'columns are')} not used: {', '.join(extra[:20])}",) if extra else ()


def lost_values(given: pd.Series, missing: Array, column: ColumnType) -> str | None:
    """Tell which values became missing because they do not fit; words for missing are meant so. Shape: (N,) each."""
    if column.kind not in ("number", "datetime") and not column.codes:
        return None
    odd = missing & given.notna().to_numpy(bool)
    odd[odd] = [kind_of(str(value)) != "missing" for value in given[odd]]
    if not odd.any():
        return None
    noun = (
        f"a time written like {dates.example(column.date_format or dates.ISO)}"
        if column.kind == "datetime"
        else "a number"
    )
    count, first = int(odd.sum()), str(given[odd].iloc[0])[:60]
    return (
        f"{plural(count, 'value')} of {given.name} could not be read as {noun} and counted as missing: "
        f"{shown_rows(row_numbers(odd), count)}, {'' if count == 1 else 'first '}{first!r}."
    )
