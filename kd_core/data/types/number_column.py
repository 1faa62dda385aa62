"""Columns of numbers: measures, and the ids, flags and codes that only look like numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.plain.counted import plural
from kd_core.data.types import dates
from kd_core.data.types.base import (
    COUNTS_ROWS,
    FALSE_WORDS,
    NEAR_UNIQUE,
    TRUE_WORDS,
    ColumnType,
    TypedColumn,
    finish,
    row_numbers,
    shown_rows,
)
from kd_core.data.types.names import code_like_name, id_like_name
from kd_core.data.types.numbers import NumberFormat
from kd_core.errors import Problem, Says
from kd_core.limits import LARGEST_NUMBER, ONE_HOT_CATEGORIES
from kd_core.specs import ColumnKind

_INFINITE = Says(
    "infinite_values",
    "warning",
    "Column {column}: {number} ({where}).",
    "Read as missing; correct the cells if that is wrong.",
)
_HUGE = replace(_INFINITE, code="huge_values", message="Column {column}: {number} beyond {largest:g} ({where}).")
_NOT_BOOLEAN = Says(
    "not_boolean",
    "warning",
    "Column {column} was set to yes/no but takes {count:,} values.",
    "Its type was inferred instead; choose another one if that is wrong.",
)


def number_column(
    values: npt.NDArray[np.float64], name: str, kind: ColumnKind | None, form: NumberFormat, problems: list[Problem]
) -> TypedColumn:
    """Type a column whose values are numbers. Shape: (N,) float64 with NaN."""
    infinite = np.isinf(values)
    huge = (np.abs(values) > LARGEST_NUMBER) & ~infinite
    for where, says, noun in ((infinite, _INFINITE, "infinite value"), (huge, _HUGE, "value")):
        if where.any():
            count, rows = int(where.sum()), row_numbers(where)
            problems.append(
                says.problem(
                    name, count, rows, number=plural(count, noun), largest=LARGEST_NUMBER, where=shown_rows(rows, count)
                )
            )
            values = np.where(where, np.nan, values)
    unique = np.unique(values[~np.isnan(values)])
    distinct, present = len(unique), int((~np.isnan(values)).sum())
    whole = bool(distinct and np.all(unique == np.floor(unique)) and np.abs(unique).max() < 2**53)
    if kind == "datetime":
        stamps = dates.coerce_dates(list(values.astype(str)), dates.UNIX_SECONDS)
        return finish(name, ColumnType("datetime", form, dates.UNIX_SECONDS), pd.Series(stamps), problems)
    if kind == "boolean" and distinct > 2:
        problems.append(not_boolean(name, distinct))
        kind = None
    if kind is None:
        kind = _number_kind(values, unique, present, name, whole)
    if kind in ("number", "constant"):
        return finish(name, ColumnType(kind, form), pd.Series(values), problems, distinct)
    coded = np.searchsorted(unique, values).astype(np.int64)
    coded[np.isnan(values)] = -1
    labels = [str(int(v)) if whole else repr(float(v)) for v in unique]
    if kind in ("id", "text"):
        held = pd.Series(np.array([*labels, None], dtype=object)[coded], dtype="str")
    else:
        held = pd.Series(pd.Categorical.from_codes(coded, pd.Index(labels, dtype="str")))
    truth = tuple(labels) if distinct == 2 and labels[0] in FALSE_WORDS and labels[1] in TRUE_WORDS else ()
    found = finish(name, ColumnType(kind, form, codes=True, whole=whole, truth=truth), held, problems, distinct)
    return replace(found, why_dropped=COUNTS_ROWS) if kind == "id" and is_row_number(values) else found


def _number_kind(
    values: npt.NDArray[np.float64], unique: npt.NDArray[np.float64], present: int, name: str, whole: bool
) -> ColumnKind:
    """Tell measures from ids, yes/no flags and codes that only look numeric."""
    distinct = len(unique)
    if distinct == 2 and unique[0] == 0 and unique[1] == 1:
        return "boolean"
    if not whole or distinct < 3:
        return "number"
    shuffled = distinct == present >= 100 and unique[-1] - unique[0] == distinct - 1  # row numbers in another order
    numbered = shuffled or is_row_number(values)
    if distinct >= NEAR_UNIQUE * present and present >= 20 and (id_like_name(name) or numbered):
        return "id"
    if id_like_name(name) or code_like_name(name):
        return "category" if present >= 3 * distinct else "number"
    if unique[0] >= 1 and distinct <= ONE_HOT_CATEGORIES and present >= 10 * distinct and unique[-1] < 10 * distinct:
        return "category" if _ragged(values, unique) else "number"
    return "number"


def not_boolean(name: str, distinct: int) -> Problem:
    """Say that a column set to yes/no takes more than two values."""
    return _NOT_BOOLEAN.problem(name, distinct)


def is_row_number(values: npt.NDArray[np.float64]) -> bool:
    """Say whether values count up by one from row to row."""
    return len(values) > 2 and not np.isnan(values).any() and bool(np.all(np.diff(values) == 1))


def _ragged(values: npt.NDArray[np.float64], unique: npt.NDArray[np.float64]) -> bool:
    """Say whether the counts go up and down along the values, as codes do and measures do not."""
    counts = np.bincount(np.searchsorted(unique, values[~np.isnan(values)]), minlength=len(unique)).astype(float)
    steps = np.diff(counts)
    noise = 4 * np.sqrt(counts[1:] + counts[:-1])
    signs = np.sign(steps[np.abs(steps) > noise])
    return int((signs[1:] != signs[:-1]).sum()) >= 2
