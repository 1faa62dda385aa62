"""From logits to what metrics read: probabilities, or values in the target's own unit."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import Answers


def from_logits(task: str, y: Array, z: Array, mean: float = 0.0, std: float = 1.0) -> Answers:
    """Turn logits into answers. Shape: y (N,), z (N, C); regression logits are scaled targets (mean, std undo it)."""
    z64 = np.asarray(z, dtype=np.float64)
    if task == "regression":
        return Answers(task, np.asarray(y, dtype=np.float64), values=z64[:, 0] * std + mean)
    p = np.exp(z64 - z64.max(axis=1, keepdims=True)) if len(z64) else z64
    return Answers(task, np.asarray(y), p=p / p.sum(axis=1, keepdims=True), z=z64)
