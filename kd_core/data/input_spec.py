"""What a model reads of a row: the shape and the kind of numbers of one view."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

TABLE = "table"
COLUMNS = "columns"
TERM = 4096  # a weighted term of a text: its number times this, plus its weight
MOST_TERMS = 40_000  # of such a view
SPARSE_NUMBERS = 60  # words and word pairs of a short text


@dataclass(frozen=True)
class InputSpec:
    """The rows of a view without the rows: enough to build, size, time and export a model.

    `shape` of one row, without the batch; `dtype` as numpy names it; integers are below `high`; `sparse` rows are scipy's
    and serve estimators only.
    `values`: of every feature, how many values the training rows hold, where a model wants to know; `holes`: the features
    that they lack in places, which are then NaN.
    Example: `InputSpec("tokens", (64,), "int32", high=8000)`
    """

    kind: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    high: int = 0
    sparse: bool = False
    values: tuple[int, ...] = ()
    holes: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Count the numbers of one row."""
        return math.prod(self.shape)

    @property
    def stored(self) -> int:
        """Count the numbers that are held of one row: all, or about as many as a sparse row has that are not zero."""
        return min(self.width, SPARSE_NUMBERS) if self.sparse else self.width

    @property
    def row_bytes(self) -> int:
        """Count the bytes of one row; a sparse one's are estimated."""
        return self.stored * np.dtype(self.dtype).itemsize

    def example(self, rows: int, seed: int = 0) -> npt.NDArray[Any]:
        """Draw rows that a model of this view accepts, holes in some of them. Shape: (rows, *shape)."""
        rng = np.random.default_rng(seed)
        if np.issubdtype(np.dtype(self.dtype), np.integer):
            return rng.integers(0, self.high, (rows, *self.shape)).astype(self.dtype)
        drawn = rng.standard_normal((rows, *self.shape)).astype(self.dtype)
        for at in self.holes:
            drawn[at % 4 :: 4, at] = np.nan
        return drawn


def table_inputs(width: int) -> InputSpec:
    """Describe an encoded table of `width` features."""
    return InputSpec(TABLE, (width,))
