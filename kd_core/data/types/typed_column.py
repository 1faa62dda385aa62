"""Any column understood, and new rows of a known column read the same way."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kd_core.data.files.frames import seconds
from kd_core.data.pictures.column import picture_column, shape_of
from kd_core.data.types import dates, numbers
from kd_core.data.types.base import FALSE_WORDS, TRUE_WORDS, ColumnType, TypedColumn, finish, to_arrow
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
    if kind == "picture" or shape_of(series):
        return picture_column(series, name, kind)
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

    Every value is read alone, the same whatever stands beside it: a number or a time as what it is, True and False as the
    labels that stand for them, a text as in the file that the column was understood from.

    Shape: (N,) raw or already typed -> (N,) float64, datetime64 or text.
    """
    read: Any
    if column.kind == "datetime":
        read = _stamps(series, column)
    elif column.kind == "number" or column.codes:
        read = coerce_numbers(series, column)
        if column.codes:
            return pd.Series([_number_text(v, column.whole) for v in read.tolist()], series.index, dtype="str")
    else:
        encoded = pc.dictionary_encode(_texts(series, column))
        labels = _labels(encoded.dictionary, column)
        codes = pc.fill_null(encoded.indices, len(labels)).to_numpy(zero_copy_only=False)
        return pd.Series(np.array([*labels, None], dtype=object)[codes], series.index, dtype="str")
    return pd.Series(read, series.index)


def _texts(series: pd.Series, column: ColumnType) -> Any:
    """Write values of any kind as the column's file would. Shape: (N,) -> (N,) Arrow texts."""
    held = series.cat.categories if isinstance(series.dtype, pd.CategoricalDtype) else series
    if isinstance(held.dtype, pd.StringDtype):
        return pc.cast(to_arrow(series), pa.large_string())
    return pa.array([text_of(v, column) for v in series.astype("object").tolist()], pa.large_string())


def text_of(value: Any, column: ColumnType) -> str | None:
    """Write one value as the column's file would; None where it is missing."""
    value = value.item() if isinstance(value, np.generic) and not isinstance(value, np.datetime64) else value
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, bool):
        return (column.truth or ("False", "True"))[value]
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, float | Decimal):
        return (_number_text(float(value), True) or "").replace(".", column.number.decimal) or None
    written = pd.Timestamp(value).isoformat() if isinstance(value, date | np.datetime64) else str(value)
    return written.encode("utf-8", "replace").decode()  # JSON can hold half of a character


def _number_text(value: float, whole: bool) -> str | None:
    if np.isnan(value):
        return None
    return str(int(value)) if whole and value.is_integer() and abs(value) < 2**53 else repr(value)


def coerce_numbers(series: pd.Series, column: ColumnType) -> npt.NDArray[np.float64]:
    """Read numbers; infinite and huge ones are missing, as when the column was understood. Shape: (N,)."""
    if pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_bool_dtype(series.dtype):
        values = series.to_numpy(np.float64, na_value=np.nan)
    else:
        trimmed = numbers.drop_tokens(pc.utf8_trim_whitespace(_texts(series, column)))
        values, _, _ = numbers.to_numbers(trimmed, column.number)
    return np.where(np.abs(values) <= LARGEST_NUMBER, values, np.nan)


def _stamps(series: pd.Series, column: ColumnType) -> npt.NDArray[np.datetime64]:
    """Read times: texts in the column's one format, times as they are, in UTC where they have a zone. Shape: (N,)."""
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        plain = series.dt.tz_convert(None) if series.dt.tz else series
        return plain.to_numpy("datetime64[us]")
    form, texts = column.date_format or dates.ISO, pc.utf8_trim_whitespace(_texts(series, column)).to_pylist()
    written = coerce_numbers(series, column).astype(str).tolist() if form == dates.UNIX_SECONDS else texts
    times = series.map(lambda v: isinstance(v, date | np.datetime64)).to_numpy(bool)
    return np.where(
        times, dates.coerce_dates(texts, dates.ISO), dates.or_year_first(dates.coerce_dates(written, form), texts)
    )


def _labels(values: Any, column: ColumnType) -> list[str | None]:
    """Write distinct texts as the labels that the column was understood with. Shape: (N,) Arrow texts."""
    clean = pc.utf8_normalize(pc.utf8_trim_whitespace(values), form="NFC").to_pylist()
    known = dict(column.spelling)
    if column.kind == "boolean" and column.truth:  # words for yes and no in other letters, as when it was understood
        for label, words in zip(column.truth, (FALSE_WORDS, TRUE_WORDS), strict=True):
            known |= {text: label for text in clean if text and text.casefold() in words}
    return [None if text in column.missing else known.get(text, text) or None for text in clean]
