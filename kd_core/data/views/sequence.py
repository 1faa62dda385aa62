"""The sequence view: a history of items as numbers of the catalogue, in order."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.input_spec import InputSpec
from kd_core.data.plain.history import items_of, numbered, numbers_of, skipped
from kd_core.data.table import Profile
from kd_core.data.types.base import ColumnType
from kd_core.data.types.raw_rows import Rows
from kd_core.data.types.row_reader import RowReader
from kd_core.data.view import VIEWS, Array, View
from kd_core.errors import Problem, Says

VERSION = 1  # raise it when encoded values change
KIND = "items"  # of a column whose cells are histories
LEAST_LENGTH, MOST_LENGTH = 4, 50
_SEPARATORS = " ,;|\t"  # one of which stands between items, as far as a profile tells
_COVERED = 0.99  # share of the training rows of which no item is left out
_LONG = Says(
    "cut_histories",
    "note",
    "{share:.0%} of the training rows have more than {length} items; the newest {length} are read.",
    "Nothing to do: what was seen last tells most.",
)


def _fits(types: Mapping[str, ColumnType]) -> str | None:
    return None if any(column.kind == KIND for column in types.values()) else "needs a column of histories"


def _foresee(profile: Profile) -> InputSpec | None:
    found = [c.name for c in profile.columns if c.used and c.kind == KIND]
    if not found:
        return None
    counts = np.array([1 + max(map(cell.count, _SEPARATORS)) for cell in _cells(profile.frame[found[0]])])
    return _inputs(_length(counts), len(profile.classes))


def _inputs(length: int, items: int) -> InputSpec:
    return InputSpec("sequence", (length,), "int32", high=items + 1)


def _length(counts: Array) -> int:
    return min(MOST_LENGTH, max(LEAST_LENGTH, int(np.quantile(counts, _COVERED)) if len(counts) else 0))


def _cells(histories: pd.Series) -> list[str]:
    found: list[str] = histories.astype("object").fillna("").tolist()
    return found


@VIEWS.register(
    "sequence",
    title="History of items",
    source="arXiv:1808.09781",
    fits=_fits,
    foresee=_foresee,
    version=VERSION,
    reads="the items of a history, in order",
    example=_inputs(12, 30),
)
class SequenceView(View):
    """The newest items of the one column of histories, by their numbers in the catalogue, which are those of the classes plus 1.

    Items that are not in the catalogue are skipped. Shape: N rows -> (N, L) int32, the newest last, 0 on the left; L covers 99 % of the training rows,
    at most 50 items.
    """

    def __init__(self, types: Mapping[str, ColumnType], task: str, seed: int) -> None:
        super().__init__(dict([(n, c) for n, c in types.items() if c.kind == KIND][:1]), task, seed)
        ((self.column, told),) = self.types.items()
        self.items, self.separator = told.catalogue, told.separator
        self.length, self.cut = LEAST_LENGTH, 0.0
        self._numbers = numbers_of(self.items)
        self._reader = RowReader(self.types)

    def fit(self, frame: pd.DataFrame, y: Array, groups: Array | None) -> Mapping[str, Array]:
        """Find how many items most training rows have."""
        counts = np.array([len(items_of(cell, self.separator)) for cell in _cells(frame[self.column])])
        self.length = _length(counts)
        self.cut = float(np.mean(counts > self.length)) if len(counts) else 0.0
        return {}

    def told(self) -> tuple[Problem, ...]:
        """Say how many training rows are cut, where they are more than the few that any length leaves out."""
        return (_LONG.problem(share=self.cut, length=self.length),) if self.cut > 1 - _COVERED else ()

    @property
    def spec(self) -> InputSpec:
        """Describe the encoded rows; known after fitting."""
        return _inputs(self.length, len(self.items))

    def encode(self, frame: pd.DataFrame, own: Mapping[str, Array] | None = None) -> npt.NDArray[np.int32]:
        """Number the newest items of rows. Shape: (N, L)."""
        return numbered(_cells(frame[self.column]), self.separator, self._numbers, self.length)[0]

    def read(self, rows: Rows) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
        """Number the newest items of rows from outside, and say which are not known. Errors: as `RowReader.read`."""
        given, said = self._reader.read(rows)
        x, unknown = numbered(given[self.column][:, 0].tolist(), self.separator, self._numbers, self.length)
        return x, (*said, *skipped(unknown, self.column))

    def learned(self) -> dict[str, bytes]:
        """Return how many items are read; the catalogue stands with the column's type."""
        told = {
            "column": self.column,
            "length": self.length,
            "rows": "numbers of known items from 1, the newest last, filled up with 0 on the left",
        }
        return {"sequence.json": json.dumps(told, ensure_ascii=False, indent=1).encode()}

    def relearn(self, files: Mapping[str, bytes]) -> None:
        """Read as many again."""
        self.length = int(json.loads(files["sequence.json"])["length"])
