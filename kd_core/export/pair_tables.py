"""What pairs of columns add to an answer beside their curves, as tables for people.

Legend: N rows, A and B points of the two sides, C logits, D answers told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
SWEEPS = 30  # until rows and columns of a table add nothing by themselves
_ENOUGH = 1e-7  # of the largest number of a table


class PairTable(Protocol):
    """What two features add together: values of each at which it bends, and the logits there. Shape: (A,), (B,), (A, B, C)."""

    @property
    def features(self) -> tuple[int, int]: ...
    @property
    def values(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]: ...
    @property
    def added(self) -> npt.NDArray[np.float32]: ...


def together(table: PairTable, first: Array, second: Array) -> Array:
    """Read a table between its points, straight in either direction and flat beyond its ends. Shape: (N,), (N,) -> (N, C)."""
    (low, share), (lower, part) = (_place(at, x) for at, x in zip(table.values, (first, second), strict=True))
    added = table.added.astype(np.float64)
    share, part = share[:, None], part[:, None]
    left = added[low, lower] * (1 - part) + added[low, lower + 1] * part
    right = added[low + 1, lower] * (1 - part) + added[low + 1, lower + 1] * part
    found: Array = left * (1 - share) + right * share
    return found


def _place(at: Array, x: Array) -> tuple[Array, Array]:
    values = at.astype(np.float64)
    low = np.clip(np.searchsorted(values, x, "right") - 1, 0, len(values) - 2)
    return low, np.clip((x - values[low]) / (values[low + 1] - values[low]), 0, 1)


@dataclass(frozen=True)
class Split:
    """A pair's table without what either column does alone: that, by the points of each, and the rest.

    Shape: alone ((A, D), (B, D)), rest (A, B, D), level (D,).
    """

    alone: tuple[Array, Array]
    rest: Array
    level: Array


def split(added: Array, weight: Array) -> Split:
    """Take the means out of a table's rows and columns, each by how many rows lie there: they belong to the columns' own curves.

    A row or column of the table where there are no rows counts each of its places alike.
    Shape: added (A, B, D), weight (A, B). Source: Lengerich et al. 2020, arXiv:1911.04974 (purification).
    """
    rest, sides = added.astype(np.float64), [np.zeros((n, added.shape[2])) for n in added.shape[:2]]
    enough = _ENOUGH * max(1e-12, float(np.abs(rest).max()))
    for _ in range(SWEEPS):
        moved = 0.0
        for side in (0, 1):
            total = weight.sum(axis=1 - side, keepdims=True)
            share = np.where(total > 0, weight / np.where(total > 0, total, 1), 1 / weight.shape[1 - side])[..., None]
            mean = (share * rest).sum(axis=1 - side, keepdims=True)
            rest = rest - mean
            sides[side] += mean.squeeze(1 - side)
            moved = max(moved, float(np.abs(mean).max()))
        if moved < enough:
            break
    level, told = np.zeros(added.shape[2]), []
    for side, own in enumerate(sides):
        total = weight.sum(axis=1 - side)
        mean = (total[:, None] * own).sum(0) / max(total.sum(), 1e-12)
        level = level + mean
        told.append(own - mean)
    return Split((told[0], told[1]), rest, level)


@dataclass(frozen=True)
class Side:
    """One column of a pair: what its points are called, and their encodings. A straight side is told between its points as well.

    Shape: encoded (A, features of the column).
    """

    kind: str
    named: list[Any]
    encoded: Array
    straight: bool
    centre: float | None = (
        None  # how a missing value is read, in the column's own unit; None where it is a point of its own
    )

    def shares(self, x: Array) -> tuple[Array, Array, Array]:
        """Say between which two points rows lie and how far they are from the first; at one point where the side is not straight.

        Shape: x (N, features) -> (N,) each.
        """
        if self.straight:
            low, share = _place(self.encoded[:, 0], np.nan_to_num(x[:, 0]))
            return low, low + 1, share
        known, rows = np.nan_to_num(self.encoded), np.nan_to_num(x)
        holes = np.isnan(x)[:, None, :] != np.isnan(self.encoded)[None]
        nearest = (((rows[:, None] - known[None]) ** 2).sum(2) + 1e6 * holes.sum(2)).argmin(1)
        return nearest, nearest, np.zeros(len(x))

    def alike(self) -> Array:
        """Say for each point which is the first with the same encoding: rows are counted there. Shape: (A,)."""
        return np.arange(len(self.encoded)) if self.straight else self.shares(self.encoded)[0]

    def counts(self, x: Array) -> Array:
        """Spread rows over the points. Shape: x (N, features) -> (N, A)."""
        low, high, share = self.shares(x)
        found = np.zeros((len(x), len(self.encoded)))
        at = np.arange(len(x))
        found[at, low] = 1 - share
        found[at, high] += share
        return found

    def read(self, told: Array, x: Array) -> Array:
        """Read what the points are told to add, for rows. Shape: told (A, D), x (N, features) -> (N, D)."""
        low, high, share = self.shares(x)
        found: Array = told[low] * (1 - share[:, None]) + told[high] * share[:, None]
        return found
