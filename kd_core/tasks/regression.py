"""A number, learned scaled to mean 0 and deviation 1, judged in its own unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from kd_core.limits import FEW_CLASSES
from kd_core.task import Column, HardLoss, Scale, TargetKind, Task, add

Array = npt.NDArray[Any]
STRATA = 10  # quantile bins


@dataclass(frozen=True)
class Regression(Task):
    """Labels are float64 in the target's own unit: float32 would lose a small spread around a large mean."""

    target: ClassVar[TargetKind] = "number"
    averages_as: str = "continuous"
    unsoftened: str | None = "regression"

    @property
    def label_dtype(self) -> type[np.generic]:
        return np.float64

    @property
    def learned_dtype(self) -> type[np.generic]:
        return np.float32

    def likeness(self, column: Column) -> int:
        """Take numbers, unless a few whole ones come again and again: those look like classes."""
        if column.kind != "number" or column.values.dtype.kind != "f":
            return 0
        known = column.values.dropna()
        whole = bool((known == np.floor(known)).all())
        few = column.distinct <= FEW_CLASSES and len(known) >= 10 * column.distinct
        return 0 if whole and few else 2

    def num_outputs(self, num_classes: int) -> int:
        return 1

    def averages(self, num_classes: int) -> int:
        return 1

    def strata(self, y: Array) -> npt.NDArray[np.int64]:
        edges = np.unique(np.quantile(y, np.linspace(0, 1, STRATA + 1)[1:-1]))
        return np.searchsorted(edges, y, side="left").astype(np.int64)

    def scale(self, y: Array) -> tuple[float, float]:
        return float(y.mean()), float(y.std()) or 1.0

    def scaled(self, y: Array, mean: Scale, std: Scale) -> Array:
        return ((y - mean) / std).astype(np.float32)

    def unscaled(self, y: Array, mean: Scale, std: Scale) -> Array:
        return y.astype(np.float64) * std + mean

    def answers(self, z: Array, mean: Scale, std: Scale) -> dict[str, Array]:
        return {"values": z[:, 0] * std + mean}

    def perfect(self, y: Array, num_outputs: int) -> Array:
        return y[:, None]

    def chance(self, y: Array, num_outputs: int) -> Array:
        return np.array([y.mean(dtype=np.float64)])

    def hard_loss(self, class_weights: Array | None = None) -> HardLoss:
        from kd_core.tasks.hard.squared_error import SquaredError

        return SquaredError()


add(Regression(name="regression", title="a number", primary="rmse", stopping="rmse", objective="mse", usual=True))
