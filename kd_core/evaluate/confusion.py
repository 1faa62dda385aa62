"""Which class is taken for which."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array


def matrix(y: Array, predicted: Array, num_classes: int) -> Array:
    """Count rows by true class (row) and predicted class (column). Shape: (C, C) int64."""
    flat = np.bincount(np.asarray(y) * num_classes + np.asarray(predicted), minlength=num_classes**2)
    return np.asarray(flat.reshape(num_classes, num_classes))


def per_class(y: Array, predicted: Array) -> tuple[Array, Array, Array]:
    """Count, for each class that occurs or is predicted, the rows that are rightly called it, of it, and called it. Shape: (K,) each."""
    most = int(max(y.max(), predicted.max())) + 1
    right, of, called = (np.bincount(rows, minlength=most) for rows in (y[y == predicted], y, predicted))
    known = of + called > 0
    return right[known], of[known], called[known]
