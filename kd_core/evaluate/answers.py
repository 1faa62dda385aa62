"""From logits to what metrics read: probabilities, or values in the target's own unit."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import Answers
from kd_core.task import Scale, task_of


def from_logits(
    task: str, y: Array, z: Array, mean: Scale = 0.0, std: Scale = 1.0, groups: Array | None = None
) -> Answers:
    """Turn logits into answers. Shape: y (N,) or (N, T), z (N, C), groups (N,); those of a number are scaled (mean, std undo it)."""
    told, z = task_of(task), np.asarray(z, dtype=np.float64)
    y = np.asarray(y, dtype=told.label_dtype)
    parts = {name: from_logits(*part) for name, part in told.parts(y, z, mean, std).items()}
    return Answers(task, y, **told.answers(z, mean, std), parts=parts, groups=groups)
