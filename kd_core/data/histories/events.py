"""Who chose what, one after the other: from rows of (user, item, time), or from cells that list a user's items.

Legend: E events, N rows of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.histories.cells import SPACE, listed, separator_among, written
from kd_core.data.plain.history import items_of
from kd_core.data.split import row_keys
from kd_core.data.types import typed_column
from kd_core.data.types.base import TypedColumn, row_numbers, shown_rows
from kd_core.errors import DataError, Problem, Says
from kd_core.specs import ColumnKind

Codes = npt.NDArray[np.int64]

_LEFT_OUT = Says(
    "events_left_out",
    "warning",
    "{count:,} {count:row|rows} without {lacks} {count:is|are} left out ({where}).",
    "Fill the cells if they matter.",
)
_TIES = Says(
    "time_ties",
    "warning",
    "{count:,} of {total:,} events share user and time with another: their order is drawn, the same each time.",
    "Give a finer time if their order matters.",
)
_FILE_ORDER = Says(
    "file_order",
    "note",
    "No time column is chosen: each user's items are taken in the order of the file.",
    "Choose the time column if the file is not in order.",
)
_LISTS = Says(
    "item_lists", "note", "Each row of {column} is one user's items, oldest first, with {between} between them."
)
_EMPTY = Says(
    "empty_items", "warning", "{count:,} empty {count:element|elements} of lists {count:is|are} left out ({where})."
)
_NO_TIME = Says(
    "time_of_lists", "warning", "Each row lists a user's items in their order: the time column {column} is not used."
)


@dataclass(frozen=True)
class Events:
    """Every user's items, users one after the other, each user's oldest first.

    Shape: `user`, `item`, `row` (E,): numbers of user and item, and the row of the file. `users`, `items`: their names.
    `separator`: what can be written between them.
    """

    user: Codes
    item: Codes
    row: Codes
    users: list[str]
    items: list[str]
    told: tuple[Problem, ...] = ()
    separator: str = SPACE


def are_lists(frame: pd.DataFrame, group: str | None) -> bool:
    """Say whether each row is one user: none is named, or none stands in two rows."""
    return group is None or bool(frame[group].dropna().is_unique)


def of_rows(
    frame: pd.DataFrame, user: str, item: str, time: TypedColumn | None, kinds: Mapping[str, ColumnKind], seed: int
) -> Events:
    """Read events of one row each; rows without a user, an item or a time are left out and counted.

    Errors: DataError `not_a_time`.
    """
    user_codes, users, odd = _labels(frame[user], user, kinds)
    item_codes, items, more = _labels(frame[item], item, kinds)
    told, known = [*odd, *more], np.ones(len(frame), bool)
    stamps = None if time is None else _stamps(time)
    lacking = {"a user": user_codes < 0, "an item": item_codes < 0}
    if stamps is not None:
        lacking["a time"] = stamps == np.iinfo(np.int64).min
    for lacks, where in lacking.items():
        if count := int((where & known).sum()):
            rows = row_numbers(where & known)
            told.append(_LEFT_OUT.problem(None, count, rows, lacks=lacks, where=shown_rows(rows, count)))
        known &= ~where
    row = np.flatnonzero(known)
    if stamps is None:
        order = np.argsort(user_codes[row], kind="stable")
        told.append(_FILE_ORDER.problem())
    else:
        keys = row_keys(len(frame), seed)[row]
        order = np.lexsort((keys, stamps[row], user_codes[row]))
        told += _ties(user_codes[row][order], stamps[row][order])
    row = row[order]
    return Events(user_codes[row], item_codes[row], row, users, items, tuple(told))


def of_lists(frame: pd.DataFrame, user: str | None, item: str, time: str | None) -> Events:
    """Read one user a row, whose cell lists items; rows without items are left out and counted."""
    cells = frame[item].astype("str").fillna("").map(listed).tolist()
    separator = separator_among(cell for cell in cells if cell)
    names = [items_of(cell, separator) for cell in cells]
    told = [_LISTS.problem(item, between=written(separator))]
    told += [] if time is None else [_NO_TIME.problem(time)]
    lost = np.array(
        [max(0, cell.count(separator) + 1 - len(own)) if cell else 0 for cell, own in zip(cells, names, strict=True)]
    )
    if separator != SPACE and lost.any():
        rows = row_numbers(lost > 0)
        told.append(_EMPTY.problem(item, int(lost.sum()), rows, where=shown_rows(rows, int((lost > 0).sum()))))
    sizes = np.array([len(own) for own in names], np.int64)
    if (without := sizes == 0).any():
        rows, count = row_numbers(without), int(without.sum())
        told.append(_LEFT_OUT.problem(None, count, rows, lacks="an item", where=shown_rows(rows, count)))
    codes, found = pd.factorize(np.array([name for own in names for name in own], dtype=object))
    row = np.repeat(np.arange(len(names)), sizes)
    if user is None:
        users = [f"row {number:,}" for number in range(1, len(names) + 1)]
    else:
        users = [f"row {n:,}" if pd.isna(v) else str(v) for n, v in enumerate(frame[user], 1)]
    return Events(row, codes.astype(np.int64), row, users, [str(name) for name in found], tuple(told))


def _labels(values: pd.Series, name: str, kinds: Mapping[str, ColumnKind]) -> tuple[Codes, list[str], list[Problem]]:
    """Read names as labels, whole numbers without a point. Shape: (N,) -> (N,) with -1 where missing."""
    found = typed_column.understand(values, name, "category" if kinds.get(name) != "text" else "text").values
    if pd.api.types.is_float_dtype(found.dtype):
        found = found.map(lambda v: None if np.isnan(v) else str(int(v)) if float(v).is_integer() else repr(v))
    codes, names = pd.factorize(found.astype("object"))
    return codes.astype(np.int64), [str(n) for n in names], []


def _stamps(time: TypedColumn) -> Codes:
    """Turn times into whole numbers that order events; the least of all where one is missing. Shape: (N,).

    Errors: DataError `not_a_time`.
    """
    values = time.values
    if values.dtype.kind not in "fM":
        raise DataError(
            "The time column {name} is read as {kind}, which has no order in time.",
            "Set its type to datetime or number, or choose another time column.",
            "not_a_time",
            name=time.name,
            kind=time.kind,
        )
    if time.missing == len(values):
        raise DataError(
            "No cell of the time column {name} can be read as a time.",
            "Set its type, choose another time column, or none where the file is in order.",
            "no_times",
            name=time.name,
        )
    missing = values.isna().to_numpy(bool)
    known = values.to_numpy(np.float64) if values.dtype.kind == "f" else values.to_numpy().astype("datetime64[us]")
    stamps = np.unique(known, return_inverse=True)[1].astype(np.int64)
    return np.where(missing, np.iinfo(np.int64).min, stamps)


def _ties(user: Codes, stamps: Codes) -> list[Problem]:
    same = (user[1:] == user[:-1]) & (stamps[1:] == stamps[:-1])
    tied = np.zeros(len(user), bool)
    tied[1:] |= same
    tied[:-1] |= same
    count = int(tied.sum())
    return [_TIES.problem(None, count, total=len(user))] if count else []
