"""Any column understood, and new rows of a known column read the same way."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kd_core.data.files.frames import seconds
from kd_core.data.types import dates, numbers
from kd_core.data.types.base import ColumnType, TypedColumn, finish, to_arrow
from kd_core.data.types.number_column import number_column
from kd_core.data.types.numbers import NumberFormat
from kd_core.data.types.text_column import text_column
from kd_core.limits import LARGEST_NUMBER
from kd_core.specs import ColumnKind


def understand(
    series: pd.Series,
    name: str,
    kind: ColumnKind | None = None,
    decimal: str | None = None,
    missing: bool | None = None,
) -> TypedColumn:
    """Find a column's type and read it, or read it as the type set by hand.

    `missing`: whether words such as NA and ? are missing cells among labels; ? alone is when None.
    Shape: (N,) in, (N,) out, in the same order.
    """
    array = to_arrow(series)
    kinds = pa.types
    if kinds.is_boolean(array.type):
        return text_column(pc.if_else(array, "True", "False"), name, kind, decimal, missing)
    if kinds.is_date(array.type) or kinds.is_timestamp(array.type):
        if kind in (None, "datetime"):
            values = pc.cast(array, pa.timestamp("us"), safe=False).to_numpy(zero_copy_only=False)
            return finish(name, ColumnType("datetime"), pd.Series(values), [])
        return text_column(pc.cast(array, pa.large_string()), name, kind, decimal, missing)
    if kinds.is_duration(array.type):
        array = seconds(array)
    if kinds.is_integer(array.type) or kinds.is_floating(array.type) or kinds.is_decimal(array.type):
        numeric = pc.cast(array, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return number_column(numeric, name, kind, NumberFormat(), [])
    if not (kinds.is_string(array.type) or kinds.is_large_string(array.type)):
        array = to_arrow(series.astype("str"))
    return text_column(array, name, kind, decimal, missing)


def coerce(series: pd.Series, column: ColumnType) -> pd.Series:
    """Read new values of a known column as its type; what does not fit becomes missing.

    Shape: (N,) raw or already typed -> (N,) float64, datetime64 or text.
    """
    if column.kind == "number" and pd.api.types.is_numeric_dtype(series.dtype):
        held = series.to_numpy(np.float64, na_value=np.nan)
        return pd.Series(_bounded(held), index=series.index)
    if column.kind == "datetime" and pd.api.types.is_datetime64_any_dtype(series.dtype):
        stamps: pd.Series = series.dt.tz_localize(None).astype("datetime64[us]")
        return stamps
    array = to_arrow(series)
    if column.kind == "datetime":
        texts = ["" if v is None else str(v) for v in array.to_pylist()]
        return pd.Series(dates.coerce_dates(texts, column.date_format or dates.ISO), index=series.index)
    if column.kind == "number":
        text = numbers.drop_tokens(pc.utf8_trim_whitespace(pc.cast(array, pa.large_string())))
        found, _, _ = numbers.to_numbers(text, column.number)
        return pd.Series(_bounded(found), index=series.index)
    encoded = pc.dictionary_encode(array)
    labels = _labels(encoded.dictionary, column)
    codes = pc.fill_null(encoded.indices, len(labels)).to_numpy(zero_copy_only=False)
    taken = np.array([*labels, None], dtype=object)[codes]
    return pd.Series(taken, index=series.index, dtype="str")


def _bounded(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Read infinite and huge values as missing, as when the column was understood."""
    return np.where(np.abs(values) <= LARGEST_NUMBER, values, np.nan)


def _labels(values: Any, column: ColumnType) -> list[str | None]:
    """Write distinct values as the labels that the column was understood with. Shape: (N,) Arrow values of any type."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        texts = [
            str(int(v) if isinstance(v, float) and v.is_integer() and abs(v) < 2**53 else v) for v in values.to_pylist()
        ]
        values = pa.array(texts, pa.large_string())
    clean = pc.utf8_normalize(pc.utf8_trim_whitespace(values), form="NFC").to_pylist()
    if column.codes:
        clean = [_integer_text(text) for text in clean]
    return [None if text in column.missing else column.spelling.get(text, text) or None for text in clean]


def _integer_text(text: str) -> str:
    """Write `17850.0` as `17850`."""
    head, dot, tail = text.partition(".")
    return head if dot and not tail.strip("0") else text
