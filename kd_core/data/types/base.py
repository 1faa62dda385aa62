"""What one column turned out to be, and the small steps every kind of column shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from kd_core.data.plain.counted import plural
from kd_core.data.types.numbers import NumberFormat
from kd_core.errors import Problem
from kd_core.limits import EXAMPLE_ROWS
from kd_core.specs import ColumnKind

TRUE_WORDS = frozenset({"true", "yes", "y", "t", "1", "1.0", "是", "on"})
FALSE_WORDS = frozenset({"false", "no", "n", "f", "0", "0.0", "否", "off"})
NEAR_UNIQUE = 0.98  # share of distinct values from which a key is an id
FEW_BAD = 5  # distinct texts among numbers that are taken for typing errors, not for a text column
BIG_INTEGER = 2.0**63
COUNTS_ROWS = "it counts the rows"


@dataclass(frozen=True)
class ColumnType:
    """How a column is read, so that new rows can be read the same way.

    `codes`: labels are numbers, read as such and then written, whole ones without a point where `whole`. `truth`: the
    labels of no and yes, which False and True stand for. Of kind `items`: `separator` stands between the items of a cell (any white
    space where it is a space), `catalogue` names those that have a number, in the order of their numbers, which count from 1.
    """

    kind: ColumnKind
    number: NumberFormat = field(default_factory=NumberFormat)
    date_format: str | None = None
    spelling: dict[str, str] = field(default_factory=dict)
    codes: bool = False
    whole: bool = False
    truth: tuple[str, ...] = ()
    separator: str = ""
    catalogue: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()  # words read as missing among labels, as in the rows it was understood from


@dataclass(frozen=True)
class TypedColumn:
    """A column's values in its type. Shape: `values` (N,) float64, category, string or datetime64.

    `words`: words for missing that were read as missing, with how often; `kept`: those that stayed values.
    """

    name: str
    type: ColumnType
    values: pd.Series
    missing: int
    distinct: int
    problems: tuple[Problem, ...] = ()
    why_dropped: str | None = None
    words: Mapping[str, int] = field(default_factory=dict)
    kept: tuple[str, ...] = ()

    @property
    def kind(self) -> ColumnKind:
        return self.type.kind


def row_numbers(where: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    """List the first few rows of a mask, counted from 1."""
    return tuple(int(i) + 1 for i in np.flatnonzero(where)[:EXAMPLE_ROWS])


def shown_rows(rows: tuple[int, ...], count: int) -> str:
    """Write row numbers for a message. Example: `rows 3, 7, …`."""
    listed = ", ".join(f"{r:,}" for r in rows)
    return f"row {listed}" if count == 1 else f"rows {listed}{', …' if count > len(rows) else ''}"


def per_class(labels: pd.Series, thing: str) -> str:
    """Say how many rows of how many classes there are. Example: `45 pictures in 3 classes (15 each)`."""
    counts = labels.value_counts()
    each = " to ".join(dict.fromkeys(f"{n:,}" for n in (counts.min(), counts.max())))
    return f"{plural(len(labels), thing)} in {plural(len(counts), 'class', 'classes')} ({each} each)"


def to_arrow(series: pd.Series) -> Any:
    """Turn a pandas column into one pyarrow array; mixed objects become text."""
    try:
        array = pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        array = pa.array(series.astype("str"), from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array


def finish(
    name: str, column: ColumnType, values: pd.Series, problems: list[Problem], distinct: int | None = None
) -> TypedColumn:
    """Complete a column: count missing and distinct values, and say why it is dropped, if it is."""
    missing = int(values.isna().sum())
    distinct = int(values.nunique()) if distinct is None else distinct
    why = None
    if missing == len(values):
        why = "all values are missing"
    elif distinct == 1 and missing == 0:
        why = "always the same value"
    if why:
        column = replace(column, kind="constant")
    elif column.kind == "id":
        why = "an id: (nearly) every row has its own value"
    elif column.kind == "constant":
        why = "set by hand"
    values.name = name
    return TypedColumn(name, column, values, missing, distinct, tuple(problems), why)
