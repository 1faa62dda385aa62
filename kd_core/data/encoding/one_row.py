"""One row of a table encoded without a data frame: the same bits as `TableView.encode`, in a hundredth of its time.

Numbers of all columns are scaled together. What a label is encoded as is asked of its block once, for every label it knows, so that there
is no second rule for it. Free text has no short way.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.encoding.blocks import BooleanBlock, CategoryBlock, DateBlock, NumberBlock
from kd_core.data.encoding.plain_blocks import PlainNumberBlock
from kd_core.data.encoding.quantiles import bent
from kd_core.data.types.base import ColumnType
from kd_core.limits import LARGEST_FLOAT32, TURN_DIGITS

Array = npt.NDArray[Any]
_SECOND = 1_000_000  # microseconds
_EPOCH = datetime(1970, 1, 1)  # in UTC, as all times are by now


class OneRow:
    """Encodes rows that a `RowReader` has read, one at a time. Legend: F features."""

    def __init__(self, blocks: Mapping[str, Any], types: Mapping[str, ColumnType]) -> None:
        self.width = sum(len(block.names) for block in blocks.values())
        self.labels: list[tuple[str, int, int, dict[Any, Array], Array]] = []
        self.dates: list[tuple[str, int, _Date]] = []
        scaled: list[tuple[str, int, NumberBlock]] = []
        plain: list[tuple[str, int, PlainNumberBlock]] = []
        at = 0
        for name, block in blocks.items():
            if isinstance(block, NumberBlock):
                scaled.append((name, at, block))
            elif isinstance(block, PlainNumberBlock):
                plain.append((name, at, block))
            elif isinstance(block, DateBlock):
                self.dates.append((name, at, _Date(block)))
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
        for name, first, date in self.dates:
            x[0, first : first + date.width] = date.encode(float(given[name][0, 0]))
        return x


def _table(block: Any, column: ColumnType) -> tuple[dict[Any, Array], Array]:
    """Ask a block how it encodes each label that it knows, a missing one and any other."""
    labels = list(block.known)
    other = max(labels, key=len, default="") + " other"
    rows = block.transform(pd.Series(pd.Categorical([*labels, None, other]))).astype(np.float32)
    known = dict(zip([float(label) for label in labels] if column.codes else labels, rows, strict=False))
    known[None if column.codes else ""] = rows[-2]
    return known, rows[-1]


class _Date:
    """A date: `DateBlock.transform` of one. What month and weekday are encoded as is asked of the block once."""

    def __init__(self, block: DateBlock) -> None:
        self.block, self.width = block, len(block.names)
        self.missing = self._asked(["NaT"])[0]
        first = 1 + block.years  # the places on circles, of two numbers each, follow the days and the year
        self.months = self._asked([f"2001-{month:02}-01" for month in range(1, 13)])[:, first : first + 2].tolist()
        self.weekdays = self._asked([f"2001-01-{day:02}" for day in range(1, 8)])[:, first + 2 : first + 4].tolist()

    def _asked(self, stamps: Any) -> Array:
        return self.block.transform(pd.Series(np.array(stamps, "datetime64[us]")))

    def encode(self, seconds: float) -> Any:
        """Encode seconds since 1970, NaN where missing. Shape: (parts,)."""
        block = self.block
        if seconds != seconds:
            return self.missing
        stamp = round(seconds * _SECOND)
        try:
            when = _EPOCH + timedelta(microseconds=stamp)
        except OverflowError:  # outside the years that Python knows
            return self._asked([stamp])[0]
        days = float(stamp) / 86_400e6
        parts = [min(max((days - block.mean) / block.std, -10.0), 10.0)]
        if block.years:
            parts.append(min(max(when.year - block.year, -50.0), 50.0))
        parts += self.months[when.month - 1] + self.weekdays[when.weekday()]
        if block.hours:
            turn = np.float64(2 * np.pi * (days % 1))
            parts += (np.rint(np.array([np.sin(turn), np.cos(turn)]) * 10.0**TURN_DIGITS) / 10.0**TURN_DIGITS).tolist()
        return [*parts, 0.0] if len(parts) < self.width else parts


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
