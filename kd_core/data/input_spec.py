"""What a model reads of a row: the shape and the kind of numbers of one view."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

TABLE = "table"
COLUMNS = "columns"
PIXELS, TOGETHER = "pixels", "together"
TERM = 4096  # a weighted term of a text: its number times this, plus its weight
# Of rows packed as whole numbers: steps in 1, the largest, and bytes in a number.
STEPS, MOST, BYTES = 65_536, 2**31 - 1, 3
MOST_TERMS = 40_000  # of such a view
SPARSE_NUMBERS = 60  # words and word pairs of a short text


@dataclass(frozen=True)
class InputSpec:
    """The rows of a view without the rows: enough to build, size, time and export a model.

    `shape` of one row, without the batch; `dtype` as numpy names it; integers are below `high`; `sparse` rows are scipy's
    and serve estimators only.
    `parts`: what lies side by side in one row of whole numbers, each as `pack` gives it.
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
    parts: tuple[InputSpec, ...] = ()

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Make one of what `dataclasses.asdict` gave, once it has been JSON. Errors: TypeError for other fields."""
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list | tuple) else value for name, value in told.items()
        }
        plain["parts"] = tuple(cls.of(part) for part in told.get("parts", ()))
        return cls(**plain)

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
        if self.parts:
            parts = [part.pack(part.example(rows, seed + place)) for place, part in enumerate(self.parts)]
            return np.concatenate(parts, axis=1)
        rng = np.random.default_rng(seed)
        if np.issubdtype(np.dtype(self.dtype), np.integer):
            return rng.integers(0, self.high, (rows, *self.shape)).astype(self.dtype)
        drawn = rng.standard_normal((rows, *self.shape)).astype(self.dtype)
        for at in self.holes:
            drawn[at % 4 :: 4, at] = np.nan
        return drawn

    @property
    def packed(self) -> int:
        """Count the whole numbers that a row takes beside those of other views."""
        return -(-self.width // BYTES) if self.dtype == "uint8" else self.width

    def pack(self, x: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Write rows as whole numbers of 32 bits: fractions in steps of 1/65,536, bytes three in one, a third of the row each.

        Shape: (N, *shape) -> (N, packed).
        """
        if self.dtype == "float32":
            steps: npt.NDArray[np.float64] = np.rint(x.astype(np.float64) * STEPS).clip(-MOST, MOST)
            return steps.astype(np.int32)
        if self.dtype != "uint8":
            return x.astype(np.int32, copy=False)
        flat = np.zeros((len(x), BYTES * self.packed), np.uint8)
        flat[:, : self.width] = x.reshape(len(x), self.width)
        found = np.zeros((len(x), self.packed), np.int32)
        for place, part in enumerate(np.split(flat, BYTES, axis=1)):
            found += part.astype(np.int32) << (8 * place)
        return found

    def unpack(self, x: npt.NDArray[np.int32]) -> npt.NDArray[Any]:
        """Read what `pack` wrote. Shape: (N, packed) -> (N, *shape)."""
        if self.dtype == "float32":
            return (x / STEPS).astype(np.float32)
        if self.dtype != "uint8":
            return x.astype(self.dtype)
        flat = np.concatenate([x & 255, x >> 8 & 255, x >> 16], axis=1)[:, : self.width]
        return flat.astype(np.uint8).reshape(len(x), *self.shape)


def side_by_side(kind: str, parts: Sequence[InputSpec]) -> InputSpec:
    """Describe rows of several views in one. Example: `side_by_side("together", [table_inputs(3), pixels])`"""
    return InputSpec(kind, (sum(part.packed for part in parts),), "int32", parts=tuple(parts))


def table_inputs(width: int) -> InputSpec:
    """Describe an encoded table of `width` features."""
    return InputSpec(TABLE, (width,))
