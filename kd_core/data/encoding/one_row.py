"""One row of a table encoded without a data frame: the same bits as `TableView.encode`, in a hundredth of its time.

Numbers of all columns are scaled together. What a label is encoded as is asked of its block once, for every label it knows, so that there
is no second rule for it. Dates are asked of their block each time; free text has no short way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.encoding.blocks import BooleanBlock, CategoryBlock, DateBlock, NumberBlock
from kd_core.data.encoding.plain_blocks import PlainNumberBlock
from kd_core.data.encoding.quantiles import bent
from kd_core.data.types.base import ColumnType
from kd_core.limits import LARGEST_FLOAT32

Array = npt.NDArray[Any]
_SECOND = 1_000_000  # microseconds


class OneRow:
    """Encodes rows that a `RowReader` has read, one at a time. Legend: F features."""

    def __init__(self, blocks: Mapping[str, Any], types: Mapping[str, ColumnType]) -> None:
        self.width = sum(len(block.names) for block in blocks.values())
        self.labels: list[tuple[str, int, int, dict[Any, Array], Array]] = []
        self.dates: list[tuple[str, int, DateBlock]] = []
        scaled: list[tuple[str, int, NumberBlock]] = []
        plain: list[tuple[str, int, PlainNumberBlock]] = []
        at = 0
        for name, block in blocks.items():
            if isinstance(block, NumberBlock):
                scaled.append((name, at, block))
            elif isinstance(block, PlainNumberBlock):
                plain.append((name, at, block))
            elif isinstance(block, DateBlock):
                self.dates.append((name, at, block))
            else:
                self.labels.append((name, at, at + len(block.names), *_table(block, types[name])))
            at += len(block.names)
        self.scaled, self.plain = _Scaled(scaled), _Plain(plain)

    @classmethod
    def of(cls, blocks: Mapping[str, Any], types: Mapping[str, ColumnType]) -> OneRow | None:
        """Make one for a view's blocks; None where a column has no short way."""
        short = (NumberBlock, PlainNumberBlock, BooleanBlock, CategoryBlock, DateBlock)
        return cls(blocks, types) if all(isinstance(block, short) for block in blocks.values()) else None

    def encode(self, given: Mapping[str, Array]) -> npt.NDArray[np.float32]:
        """Encode one row. Shape: (1, 1) per column, as `RowReader` gives them -> (1, F)."""
        x = np.empty((1, self.width), np.float32)
        self.scaled.fill(x[0], given)
        self.plain.fill(x[0], given)
        for name, first, end, known, unknown in self.labels:
            value = given[name][0, 0]
            x[0, first:end] = known.get(None if value != value else value, unknown)
        for name, first, block in self.dates:
            seconds = given[name][0, 0]
            stamp = np.datetime64("NaT") if seconds != seconds else np.datetime64(round(seconds * _SECOND), "us")
            found = block.transform(pd.Series(np.array([stamp], "datetime64[us]")))
            x[0, first : first + found.shape[1]] = found[0]
        return x


def _table(block: Any, column: ColumnType) -> tuple[dict[Any, Array], Array]:
    """Ask a block how it encodes each label that it knows, a missing one and any other."""
    labels = list(block.known)
    other = max(labels, key=len, default="") + " other"
    rows = block.transform(pd.Series(pd.Categorical([*labels, None, other]))).astype(np.float32)
    known = dict(zip([float(label) for label in labels] if column.codes else labels, rows, strict=False))
    known[None if column.codes else ""] = rows[-2]
    return known, rows[-1]


class _Scaled:
    """All numbers of a table view: `NumberBlock.transform`, side by side."""

    def __init__(self, held: list[tuple[str, int, NumberBlock]]) -> None:
        self.names = [name for name, _, _ in held]
        self.at = np.array([at for _, at, _ in held], np.int64)
        self.median, self.mean, self.std = (
            np.array([getattr(block, what) for _, _, block in held], np.float64) for what in ("median", "mean", "std")
        )
        self.bent = [(i, at, block.knots, block.heights) for i, (_, at, block) in enumerate(held) if len(block.knots)]
        self.flagged = np.array([i for i, (_, _, block) in enumerate(held) if block.flag], np.int64)

    def fill(self, x: Array, given: Mapping[str, Array]) -> None:
        """Write the numbers of a row."""
        if not self.names:
            return
        held = np.array([given[name][0, 0] for name in self.names])
        missing = np.isnan(held)
        scaled = ((np.where(missing, self.median, held) - self.mean) / self.std).astype(np.float32)
        x[self.at] = np.clip(scaled, -10, 10)
        for i, at, knots, heights in self.bent:
            x[at] = bent(scaled[i : i + 1], knots, heights)[0]
        x[self.at[self.flagged] + 1] = missing[self.flagged]


class _Plain:
    """All numbers of a columns view: `PlainNumberBlock.transform`, side by side."""

    def __init__(self, held: list[tuple[str, int, PlainNumberBlock]]) -> None:
        self.names = [name for name, _, _ in held]
        self.at = np.array([at for _, at, _ in held], np.int64)
        self.centre = np.array([block.centre for _, _, block in held], np.float64)
        self.spread = np.array([block.spread for _, _, block in held], np.float64)

    def fill(self, x: Array, given: Mapping[str, Array]) -> None:
        """Write the numbers of a row."""
        if not self.names:
            return
        held = np.array([given[name][0, 0] for name in self.names])
        with np.errstate(over="ignore"):
            scaled = (held - self.centre) / self.spread
        x[self.at] = np.clip(scaled, -LARGEST_FLOAT32, LARGEST_FLOAT32)
