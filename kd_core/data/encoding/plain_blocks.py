"""Encodings of single columns for models that bend numbers themselves: linear, and NaN where a value is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.encoding.blocks import BooleanBlock, DateBlock

Array = npt.NDArray[Any]
_FARTHEST = 3e38  # of float32; a model that compares with edges needs no narrower limit
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
        return np.clip(scaled, -_FARTHEST, _FARTHEST)[:, None]


class PlainBooleanBlock(BooleanBlock):
    """A yes/no flag as 0 and 1. Shape: (N,) labels -> (N, 1), NaN where missing."""

    def fit(self, values: pd.Series, y: Array, task: str, groups: Array | None) -> Array | None:
        super().fit(values, y, task, groups)
        self.names = self.names[:1]
        return None

    def transform(self, values: pd.Series) -> Array:
        codes = self.codes(values)[:, None]
        return np.where(codes < 0, np.nan, np.minimum(codes, 1))


class PlainDateBlock(DateBlock):
    """The calendar parts of a date. Shape: (N,) -> (N, parts), NaN where missing."""

    def fit(self, values: pd.Series, y: Array, task: str, groups: Array | None) -> Array | None:
        super().fit(values, y, task, groups)
        self.names = self.names[: len(self.names) - self.flag]
        return None

    def transform(self, values: pd.Series) -> Array:
        parts, missing = self.parts(values)
        return np.where(missing[:, None], np.nan, parts)
