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
from kd_core.data.types.numbers import NumberFormat
from kd_core.data.types.one_cell import cell_reader
from kd_core.data.types.raw_rows import Rows, columns_of, lost_values, unused
from kd_core.data.types.typed_column import coerce, coerce_numbers
from kd_core.limits import LARGEST_NUMBER

Array = npt.NDArray[Any]
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII).fullmatch
_REMEMBERED = 10_000  # texts of a column
_FEW = 20  # texts that are read one by one sooner than together
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
        self._own = threading.local()

    def read(self, rows: Rows) -> tuple[dict[str, Array], tuple[str, ...]]:
        """Return the columns, and what a person should be told: columns not used, values that could not be read.

        Errors: DataError `columns_missing`, `columns_twice`, `row_width`, `cell_of_many`.
        """
        if type(rows) is dict and (alone := self.one(rows)) is not None:
            return {name: values.copy() for name, values in alone[0].items()}, alone[1]
        if isinstance(rows, pd.DataFrame) and (arrays := self._arrays(rows)) is not None:
            return self._of_frame(rows, arrays)
        cells, extra = columns_of(rows, list(self.types))
        said = [*unused(extra)]
        given = {name: _inside(one) if isinstance(one, pd.Series) else one for name, one in cells.items()}
        found = {name: column.read(given[name], said)[:, None] for name, column in self._columns.items()}
        return found, tuple(said)

    def _arrays(self, rows: pd.DataFrame) -> list[Any] | None:
        """Return what lies in the columns; None where one is missing, or there is another of its name."""
        names = rows.columns.tolist()
        places = {name: place for place, name in enumerate(names)}
        if len(places) < len(names) or not self.types.keys() <= places.keys():
            return None
        # A frame makes a series of a column in ten times as long as it takes to hand out what lies in it.
        column = getattr(rows, "_get_column_array", lambda place: _inside(rows.iloc[:, place]))
        return [column(places[name]) for name in self.types]

    def _of_frame(self, rows: pd.DataFrame, arrays: list[Any]) -> tuple[dict[str, Array], tuple[str, ...]]:
        """Read columns as they lie in a frame: numbers side by side, all others one by one."""
        plain = [i for i, column in enumerate(self._columns.values()) if column.numeric and _is_number(arrays[i])]
        values = np.empty((len(plain), len(rows), 1))
        for row, i in enumerate(plain):
            values[row, :, 0] = arrays[i]
        whole: dict[int, Array] = dict(zip(plain, values, strict=True))
        if (np.abs(values) > LARGEST_NUMBER).any():
            whole = {i: one for i, one in whole.items() if _within(one) is not None}
        more = rows.columns if len(rows.columns) > len(arrays) else ()
        said = [*unused([str(name) for name in more if name not in self.types])]
        found = {
            name: whole[i] if i in whole else column.read(arrays[i], said)[:, None]
            for i, (name, column) in enumerate(self._columns.items())
        }
        return found, tuple(said)

    def one(self, row: dict[str, Any]) -> tuple[dict[str, Array], tuple[str, ...]] | None:
        """Read one row, as `read` does; None where a column is missing, or holds what has no short way.

        The arrays are this thread's own and are overwritten by its next call: making new ones costs as much again, and what runs
        after it finds less of its own in the processor's caches.
        """
        try:
            held: _Held = self._own.held
        except AttributeError:
            held = self._own.held = _Held(self._columns)
        values: list[float] = []
        try:
            for name, plain, column in held.numbers:
                cell = row[name]
                kind = type(cell)
                if kind is str and plain and _PLAIN(cell):
                    cell, kind = float(cell), float
                if (kind is float or kind is int) and plain is not None and -LARGEST_NUMBER <= cell <= LARGEST_NUMBER:
                    values.append(cell)
                elif cell is None:
                    values.append(np.nan)
                elif (read := column.alone(cell)) is not None:
                    values.append(read)
                else:
                    return None
            for name, known, column, place in held.labels:
                cell = row[name]
                if (text := known.get(cell)) is None and (text := column.alone(cell)) is None:
                    return None
                place[0, 0] = text
        except (KeyError, TypeError):  # a column is missing, or a cell is a list
            return None
        held.values[:, 0] = values
        if len(row) == len(self.types):
            return held.arrays, ()
        return held.arrays, unused([str(name) for name in row if name not in self.types])


class _Held:
    """Arrays that a row is read into, one after the other. All numbers lie side by side, and are filled at once."""

    def __init__(self, columns: Mapping[str, _Column]) -> None:
        floats = [column for column in columns.values() if column.dtype is np.float64]
        self.values = np.zeros((len(floats), 1))
        # A number is taken as it is, and a text that is a plain one where the column writes them so; None for times.
        self.numbers = [(c.name, c.plain if c.numeric else None, c) for c in floats]
        self.arrays = {column.name: self.values[at : at + 1] for at, column in enumerate(floats)}
        others = [column for column in columns.values() if column.dtype is not np.float64]
        self.arrays |= {column.name: np.zeros((1, 1), object) for column in others}
        self.labels = [(c.name, c.known, c, self.arrays[c.name]) for c in others]


class _Column:
    """Reads the cells of one column. `known`: what texts that were met before are read as."""

    def __init__(self, name: str, column: ColumnType) -> None:
        self.name, self.column = name, column
        self.numeric = column.kind == "number" or column.codes
        self.plain = column.number == NumberFormat()
        self.dtype: Any = np.float64 if self.numeric or column.kind == "datetime" else object
        self.known: dict[Any, Any] = {None: np.nan if self.dtype is np.float64 else ""}
        self._quick = cell_reader(column)

    def alone(self, cell: Any) -> Any:
        """Read one cell, and remember a text; None where it has no short way."""
        if type(cell) is not str:
            return self._quick(cell)
        found = self.known.get(cell)
        if found is None and (found := self._quick(cell)) is not None:
            self._remember(cell, found)
        return found

    def read(self, cells: Any, said: list[str]) -> Array:
        """Read cells as float64 or text: a list, or what lies in a column of a data frame. Shape: (N,) -> (N,)."""
        short = self._of_list(cells) if isinstance(cells, list) else self._of_array(cells)
        return self._slowly(cells, said) if short is None else short

    def _of_array(self, cells: Any) -> Array | None:
        """Read each different value once, where an array tells them."""
        if isinstance(cells, np.ndarray) and cells.dtype.kind == "b":
            return self._of_different([False, True], cells.astype(np.int64))
        if isinstance(cells, pd.Categorical):
            return self._of_different([*cells.categories.tolist(), None], cells.codes)
        if self.numeric:
            return None
        if not isinstance(cells.dtype, pd.StringDtype):
            return None if cells.dtype.kind == "M" else self._of_list(cells.tolist())
        encoded = pc.dictionary_encode(to_arrow(cells))
        places = encoded.indices if not encoded.null_count else pc.fill_null(encoded.indices, -1)
        return self._of_different([*encoded.dictionary.to_pylist(), None], places.to_numpy())

    def _of_different(self, values: list[Any], places: Array) -> Array | None:
        different = self._of_list(values)
        return None if different is None else different[places]

    def _of_list(self, cells: list[Any]) -> Array | None:
        if self.numeric and _NUMBERS.issuperset(map(type, cells)):
            try:
                return _within(np.array(cells, np.float64))
            except OverflowError:  # a whole number of hundreds of digits
                return None
        if self.numeric and len(cells) > _FEW:
            return None
        try:
            return np.array([self.known[cell] for cell in cells], self.dtype)
        except (KeyError, TypeError):  # not all are texts that were met before
            found = []
            for cell in cells:
                if (value := self.alone(cell)) is None:
                    return None
                found.append(value)
            return np.array(found, self.dtype)

    def _slowly(self, cells: Any, said: list[str]) -> Array:
        kind: Any = "object"
        if not isinstance(cells, list):
            kind = cells.dtype
        elif {str, type(None)}.issuperset(map(type, cells)):
            kind = "str"
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
            for cell, value, lost in zip(given.tolist(), found.tolist(), missing.tolist(), strict=True):
                if type(cell) is str and not lost:  # values that are lost are told each time
                    self._remember(cell, value)
        if missing.any() and (told := lost_values(given, missing, self.column)):
            said.append(told)
        return found

    def _remember(self, text: str, value: Any) -> None:
        if not self.numeric and len(self.known) < _REMEMBERED and self.column.kind != "text":
            self.known[text] = value


def _inside(column: pd.Series) -> Any:
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array


def _is_number(cells: Any) -> bool:
    return isinstance(cells, np.ndarray) and cells.dtype.kind in "iuf"


def _within(values: Array) -> Array | None:
    """Return numbers, or None where one is too large to be one."""
    return None if (np.abs(values) > LARGEST_NUMBER).any() else values
