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
    stamps, unix = pd.api.types.is_datetime64_any_dtype(series.dtype), column.date_format == dates.UNIX_SECONDS
    read: Any
    if column.kind == "datetime" and stamps:
        read = (series.dt.tz_convert(None) if series.dt.tz else series).to_numpy("datetime64[us]")
    elif column.kind == "number" or column.codes or unix:
        values = _numbers(series, column)
        if column.kind == "number":
            read = values
        elif unix:
            read = dates.coerce_dates(list(values.astype(str)), dates.UNIX_SECONDS)
        else:
            return pd.Series([_label(v, column.whole) for v in values.tolist()], index=series.index, dtype="str")
    elif column.kind == "datetime":
        read = _stamps(_cells(series), column.date_format or dates.ISO)
    else:
        array = to_arrow(series) if _holds_texts(series) else _written(_cells(series), column)
        encoded = pc.dictionary_encode(array)
        labels = _labels(encoded.dictionary, column)
        codes = pc.fill_null(encoded.indices, len(labels)).to_numpy(zero_copy_only=False)
        read = np.array([*labels, None], dtype=object)[codes]
        return pd.Series(read, index=series.index, dtype="str")
    return pd.Series(read, index=series.index)


def _holds_texts(series: pd.Series) -> bool:
    kind = series.cat.categories.dtype if isinstance(series.dtype, pd.CategoricalDtype) else series.dtype
    return isinstance(kind, pd.StringDtype)


def _cells(series: pd.Series) -> list[Any]:
    """Turn values of any kind into what is understood here: None, bool, int, float, Timestamp (UTC) or str."""
    return [_cell(v) for v in series.astype("object").tolist()]


def _cell(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = pd.Timestamp(value) if isinstance(value, np.datetime64) else value.item()
    value = float(value) if isinstance(value, Decimal) else value
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, date):
        stamp = pd.Timestamp(value)
        return stamp.tz_convert(None) if stamp.tz else stamp
    return value if isinstance(value, str | int | float) else str(value)


def _numbers(series: pd.Series, column: ColumnType) -> npt.NDArray[np.float64]:
    """Read numbers; infinite and huge ones are missing, as when the column was understood. Shape: (N,)."""
    is_bool = pd.api.types.is_bool_dtype(series.dtype)
    if pd.api.types.is_numeric_dtype(series.dtype) and not is_bool:
        values = series.to_numpy(np.float64, na_value=np.nan)
    else:
        texts, held = (to_arrow(series), None) if _holds_texts(series) else _apart(_cells(series), column)
        trimmed = numbers.drop_tokens(pc.utf8_trim_whitespace(pc.cast(texts, pa.large_string())))
        values, _, _ = numbers.to_numbers(trimmed, column.number)
        values = values if held is None else np.where(np.isnan(held), values, held)
    return np.where(np.abs(values) <= LARGEST_NUMBER, values, np.nan)


def _apart(cells: list[Any], column: ColumnType) -> tuple[Any, npt.NDArray[np.float64]]:
    """Tell texts from what is a number already, in cells of any kind; True is one where a number stands for yes."""

    def number(cell: Any) -> float:
        if isinstance(cell, bool):
            return float(column.truth[cell]) if column.truth else np.nan
        if isinstance(cell, pd.Timestamp):
            return cell.timestamp() if column.kind == "datetime" else np.nan
        return np.nan if cell is None or isinstance(cell, str) or abs(cell) > LARGEST_NUMBER else float(cell)

    texts = pa.array([c if isinstance(c, str) else None for c in cells], pa.large_string())
    return texts, np.array([number(c) for c in cells], np.float64)


def _stamps(cells: list[Any], form: str) -> npt.NDArray[np.datetime64]:
    read = dates.coerce_dates(["" if isinstance(c, pd.Timestamp | None) else str(c).strip() for c in cells], form)
    return np.array([c if isinstance(c, pd.Timestamp) else r for c, r in zip(cells, read, strict=True)], read.dtype)


def _written(cells: list[Any], column: ColumnType) -> Any:
    """Write cells as texts: numbers without a needless point, False and True as the column writes them."""

    def text(cell: Any) -> str | None:
        if isinstance(cell, bool):
            return column.truth[cell] if column.truth else str(cell)
        return cell if cell is None or isinstance(cell, str) else _label(cell, True)

    return pa.array([text(c) for c in cells], pa.large_string())


def _label(value: Any, whole: bool) -> str | None:
    if not isinstance(value, float):
        return str(value)
    if value != value:
        return None
    return str(int(value)) if whole and value.is_integer() and abs(value) < 2**53 else repr(value)


def _labels(values: Any, column: ColumnType) -> list[str | None]:
    """Write distinct texts as the labels that the column was understood with. Shape: (N,) Arrow texts."""
    clean = pc.utf8_normalize(pc.utf8_trim_whitespace(values), form="NFC").to_pylist()
    known = dict(column.spelling)
    if column.kind == "boolean" and column.truth:  # words for yes and no in other letters, as when it was understood
        for label, words in zip(column.truth, (FALSE_WORDS, TRUE_WORDS), strict=True):
            known |= {text: label for text in clean if text and text.casefold() in words}
    return [None if text in column.missing else known.get(text, text) or None for text in clean]
