"""Root mean squared error, in the target's unit."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import NUMERIC


def influence(answers: Answers) -> Array:
    """Linearise the root (delta method): (squared error - its mean) / (2 RMSE); 0 where every answer is exact."""
    assert answers.values is not None
    squared = (answers.values - answers.y) ** 2
    mean = squared.mean()
    return np.asarray((squared - mean) / (2 * np.sqrt(mean)) if mean > 0 else np.zeros(len(squared)))


@METRICS.register(
    "rmse",
    title="RMSE",
    source="scikit-learn",
    tasks=NUMERIC,
    better="lower",
    unit="target",
    margin=0.02,
    relative=True,
    influence=influence,
)
def rmse(answers: Answers) -> float | None:
    """Root mean squared error, in the target's unit."""
    from sklearn.metrics import mean_squared_error

    return float(np.sqrt(mean_squared_error(answers.y, answers.values)))
