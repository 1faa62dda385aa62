"""Which class is taken for which."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array


def matrix(y: Array, predicted: Array, num_classes: int) -> Array:
    """Count rows by true class (row) and predicted class (column). Shape: (C, C) int64."""
    flat = np.bincount(np.asarray(y) * num_classes + np.asarray(predicted), minlength=num_classes**2)
    return np.asarray(flat.reshape(num_classes, num_classes))
