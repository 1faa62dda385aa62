"""Raw rows read quickly, one or many, into an array per column: what a graph of raw columns takes.

Each value is read as `typed_column.coerce` reads it. Plain numbers and texts met before take the short way; a column with
anything else in it goes the long way, and what that read is remembered for texts.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from kd_core.data.types.base import ColumnType, to_arrow
from kd_core.data.types.cells import MISSING_WORDS
from kd_core.data.types.numbers import NumberFormat
from kd_core.data.types.raw_rows import Cells, Rows, columns_of, lost_values
from kd_core.data.types.typed_column import coerce, coerce_numbers
from kd_core.limits import LARGEST_NUMBER

Array = npt.NDArray[Any]
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?").fullmatch
_REMEMBERED = 10_000  # texts of a column
_FEW = 20  # texts that are read one by one sooner than together
_MISSING = dict.fromkeys(MISSING_WORDS)
_NUMBERS = {float, int, type(None)}
_SECOND = 1_000_000  # microseconds


class RowReader:
    """Reads rows by the rules of known columns.

    Numbers, codes and times become float64, NaN where missing (times: seconds since 1970 UTC); labels and texts become
    text, empty where missing. Shape: N rows -> (N, 1) per column.
    """

    def __init__(self, types: Mapping[str, ColumnType]) -> None:
        self.types = dict(types)
        self._columns = {name: _Column(name, column) for name, column in types.items()}
        self._numeric = [(name, column) for name, column in self._columns.items() if column.numeric]
        self._others = [(name, column) for name, column in self._columns.items() if not column.numeric]
        self._own = threading.local()

    def read(self, rows: Rows) -> tuple[dict[str, Array], tuple[str, ...]]:
        """Return the columns, and what a person should be told: columns not used, values that could not be read.

        Errors: DataError `columns_missing`, `columns_twice`, `row_width`, `cell_of_many`.
        """
        if type(rows) is dict and (found := self.one(rows)) is not None:
            return {name: values.copy() for name, values in found.items()}, ()
        said: list[str] = []
        cells, extra = columns_of(rows, list(self.types))
        if extra:
            said.append(f"{len(extra)} column(s) are not used: {', '.join(extra[:20])}")
        return {name: column.read(cells[name], said)[:, None] for name, column in self._columns.items()}, tuple(said)

    def one(self, row: dict[str, Any]) -> dict[str, Array] | None:
        """Read one row of plain values; None where there is anything else in it, more or less.

        The arrays are this thread's own and are overwritten by its next call: making new ones costs as much again, and what runs
        after it finds less of its own in the processor's caches.
        """
        if len(row) != len(self.types):
            return None
        try:
            held: _Held = self._own.held
        except AttributeError:
            held = self._own.held = _Held(self._numeric, self._others)
        values: list[float] = []
        try:
            for name, plain in held.numbers:
                cell = row[name]
                if type(cell) is str and plain:
                    cell = float(cell) if _PLAIN(cell) else _MISSING.get(cell, cell)
                kind = type(cell)
                if kind is float or kind is int:
                    if not -LARGEST_NUMBER <= cell <= LARGEST_NUMBER and cell == cell:
                        return None
                    values.append(cell)
                elif cell is None:
                    values.append(np.nan)
                else:
                    return None
            for name, known, place in held.labels:
                place[0, 0] = known[row[name]]
        except (KeyError, TypeError):  # a column that is missing, or a text not met before
            return None
        held.values[:, 0] = values
        return held.arrays


class _Held:
    """Arrays that a row is read into, one after the other. All numbers lie side by side, and are filled at once."""

    def __init__(self, numeric: list[tuple[str, _Column]], others: list[tuple[str, _Column]]) -> None:
        self.values = np.zeros((len(numeric), 1))
        self.numbers = [(name, column.plain) for name, column in numeric]
        self.arrays = {name: self.values[at : at + 1] for at, (name, _) in enumerate(numeric)}
        self.arrays |= {name: np.zeros((1, 1), column.dtype) for name, column in others}
        self.labels = [(name, column.known, self.arrays[name]) for name, column in others]


class _Column:
    """Reads the cells of one column. `known`: what texts that were met before are read as."""

    def __init__(self, name: str, column: ColumnType) -> None:
        self.name, self.column = name, column
        self.numeric = column.kind == "number" or column.codes
        self.plain = column.number == NumberFormat()
        self.dtype: Any = np.float64 if self.numeric or column.kind == "datetime" else object
        self.known: dict[Any, Any] = {}

    def read(self, cells: Cells, said: list[str]) -> Array:
        """Read cells as float64 or text. Shape: (N,) -> (N,)."""
        if isinstance(cells, pd.Series):
            short = self._of_series(cells)
        elif self.numeric:
            short = self._numbers(cells)
        else:
            short = self._remembered(cells)
        return self._slowly(cells, said) if short is None else short

    def plainly(self, cell: Any) -> Any:
        """Read a text that is a plain number, or a word for missing; return anything else as it is."""
        if type(cell) is not str or not self.plain:
            return cell
        return float(cell) if _PLAIN(cell) else _MISSING.get(cell, cell)

    def _of_series(self, cells: pd.Series) -> Array | None:
        if self.numeric:
            return _within(cells.to_numpy(np.float64)) if cells.dtype in (np.float64, np.int64) else None
        if not isinstance(cells.dtype, pd.StringDtype):
            return self._remembered(cells.tolist())
        encoded = pc.dictionary_encode(to_arrow(cells))
        different = self._remembered([*encoded.dictionary.to_pylist(), None])
        return None if different is None else different[pc.fill_null(encoded.indices, -1).to_numpy()]

    def _numbers(self, cells: list[Any]) -> Array | None:
        kinds = set(map(type, cells))
        if self.plain and str in kinds and len(cells) <= _FEW:
            cells = [self.plainly(cell) for cell in cells]
            kinds = set(map(type, cells))
        return _within(np.array(cells, np.float64)) if kinds <= _NUMBERS else None

    def _remembered(self, cells: list[Any]) -> Array | None:
        try:
            return np.array([self.known[cell] for cell in cells], self.dtype)
        except (KeyError, TypeError):
            return None

    def _slowly(self, cells: Cells, said: list[str]) -> Array:
        if isinstance(cells, pd.Series):
            given = cells
        else:
            kind: Any = "str" if {str, type(None)}.issuperset(map(type, cells)) else "object"
            try:
                given = pd.Series(cells, dtype=kind, name=self.name)
            except UnicodeEncodeError:  # half of a character, which JSON can hold
                given = pd.Series(cells, dtype="object", name=self.name)
        if self.numeric:
            found: Array = coerce_numbers(given, self.column)
            missing = np.isnan(found)
        else:
            read = coerce(given, self.column)
            missing = read.isna().to_numpy(bool)
            if self.column.kind == "datetime":
                found = np.where(missing, np.nan, read.to_numpy("datetime64[us]").astype(np.int64) / _SECOND)
            else:
                found = read.astype("object").where(~missing, "").to_numpy()
            self._remember(given, found, missing)
        if missing.any() and (lost := lost_values(given, missing, self.column)):
            said.append(lost)
        return found

    def _remember(self, given: pd.Series, found: Array, missing: Array) -> None:
        """Keep what texts were read as, but for free text, and for values that are lost: these are told each time."""
        if len(self.known) < _REMEMBERED and self.column.kind != "text":
            pairs = zip(given.tolist(), found.tolist(), missing.tolist(), strict=True)
            self.known |= {cell: value for cell, value, lost in pairs if type(cell) is str and not lost}
            self.known[None] = np.nan if self.dtype is np.float64 else ""


def _within(values: Array) -> Array | None:
    """Return numbers, or None where one is too large to be one."""
    return None if (np.abs(values) > LARGEST_NUMBER).any() else values
