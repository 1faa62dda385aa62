"""Encodings of single columns for models that bend numbers themselves: linear, and NaN where a value is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.encoding.blocks import BooleanBlock, DateBlock
from kd_core.data.types.base import ColumnType
from kd_core.limits import LARGEST_FLOAT32

if TYPE_CHECKING:  # onnx takes a quarter of a second to import
    from kd_core.data.encoding.raw_graph import RawGraph

Array = npt.NDArray[Any]
_OF_NORMAL = 1.349  # distance of the quartiles of a normal distribution, in deviations


class PlainNumberBlock:
    """A number less its median, over its spread: the quartiles' distance, which a few far values do not change.

    Shape: (N,) float64 -> (N, 1), NaN where missing.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.names: tuple[str, ...] = (name,)
        self.centre, self.spread = 0.0, 1.0

    def fit(self, values: pd.Series, y: Array, task: str, groups: Array | None) -> Array | None:
        known = values.dropna().to_numpy(np.float64)
        if len(known):
            low, middle, high = np.quantile(known, (0.25, 0.5, 0.75))
            self.centre = float(middle)
            self.spread = float((high - low) / _OF_NORMAL or known.std() or 1.0)  # most rows alike: the deviation
        return None

    def transform(self, values: pd.Series) -> Array:
        held = values.to_numpy(np.float64, na_value=np.nan)
        with np.errstate(over="ignore"):
            scaled = (held - self.centre) / self.spread
        return np.clip(scaled, -LARGEST_FLOAT32, LARGEST_FLOAT32)[:, None]

    def draw(self, graph: RawGraph, column: ColumnType) -> None:
        graph.number(self.name, "plain", self.centre, self.spread, float("nan"), False)


class PlainBooleanBlock(BooleanBlock):
    """A yes/no flag as 0 and 1. Shape: (N,) labels -> (N, 1), NaN where missing."""

    unknown: ClassVar[float] = np.nan

    def fit(self, values: pd.Series, y: Array, task: str, groups: Array | None) -> Array | None:
        super().fit(values, y, task, groups)
        self.names, self.flag = self.names[:1], False
        return None

    def transform(self, values: pd.Series) -> Array:
        codes = self.codes(values)[:, None]
        return np.where(codes < 0, self.unknown, np.minimum(codes, 1))


class PlainDateBlock(DateBlock):
    """The calendar parts of a date. Shape: (N,) -> (N, parts), NaN where missing."""

    def fit(self, values: pd.Series, y: Array, task: str, groups: Array | None) -> Array | None:
        super().fit(values, y, task, groups)
        self.names = self.names[: len(self.names) - self.flag]
        return None

    def transform(self, values: pd.Series) -> Array:
        parts, missing = self.parts(values)
        return np.where(missing[:, None], np.nan, parts)

    def draw(self, graph: RawGraph, column: ColumnType) -> None:
        self.draw_parts(graph, self.names, blank=True)
