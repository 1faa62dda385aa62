"""What tasks with classes share, whether two or many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from kd_core.task import HardLoss, Scale, TargetKind, Task

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Classification(Task):
    """Labels are class indices, logits one per class, answers probabilities."""

    target: ClassVar[TargetKind] = "classes"

    @property
    def label_dtype(self) -> type[np.generic]:
        return np.int64

    @property
    def learned_dtype(self) -> type[np.generic]:
        return np.int64

    def settled(self, num_classes: int) -> str:
        """Two classes are a yes or no, whatever was asked for."""
        return "binary" if num_classes == 2 else self.name

    def num_outputs(self, num_classes: int) -> int:
        return num_classes

    def strata(self, y: Array) -> npt.NDArray[np.int64]:
        return y.astype(np.int64)

    def scale(self, y: Array) -> tuple[float, float]:
        return 0.0, 1.0

    def scaled(self, y: Array, mean: Scale, std: Scale) -> Array:
        return y

    def unscaled(self, y: Array, mean: Scale, std: Scale) -> Array:
        return y

    def answers(self, z: Array, mean: Scale, std: Scale) -> dict[str, Array]:
        p = np.exp(z - z.max(axis=1, keepdims=True)) if len(z) else z
        return {"p": p / p.sum(axis=1, keepdims=True), "z": z}

    def perfect(self, y: Array, num_outputs: int) -> Array:
        return np.eye(num_outputs)[y]

    def chance(self, y: Array, num_outputs: int) -> Array:
        """Give every class its share of the rows; one that never occurs counts as half a row."""
        return np.log(np.maximum(np.bincount(y, minlength=num_outputs), 0.5) / len(y))

    def hard_loss(self, class_weights: Array | None = None) -> HardLoss:
        from kd_core.tasks.hard.cross_entropy import CrossEntropy

        return CrossEntropy.weighted(class_weights)
