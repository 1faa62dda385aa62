"""Mean F1 over the classes that occur or are predicted."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate import confusion
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import CLASSIFICATION


def influence(answers: Answers) -> Array:
    """Linearise each class's 2 TP / (rows of it + rows called it) (delta method); mean as the metric's."""
    y, called = answers.y, answers.predicted
    most = int(max(y.max(), called.max())) + 1
    total = np.bincount(y, minlength=most) + np.bincount(called, minlength=most)
    right = (y == called).astype(np.float64)
    weight = 1 / np.maximum(total, 1)
    slope = 2 * np.bincount(y, weights=right, minlength=most) * weight * weight
    return np.asarray((2 * right * weight[y] - slope[y] - slope[called]) * len(y) / (total > 0).sum())


@METRICS.register(
    "f1_macro",
    title="F1 (macro)",
    source="numpy; equals scikit-learn",
    tasks=CLASSIFICATION,
    better="higher",
    unit="share",
    margin=0.005,
    relative=False,
    influence=influence,
)
def f1_macro(answers: Answers) -> float | None:
    """Mean F1 over the classes that occur or are predicted."""
    right, of, called = confusion.per_class(answers.y, answers.predicted)
    return float((2.0 * right / (of + called)).mean())
