"""Mean absolute error, in the target's unit."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import NUMERIC


def influence(answers: Answers) -> Array:
    """Each row's own error, less the mean."""
    assert answers.values is not None
    error = np.abs(answers.values - answers.y)
    return np.asarray(error - error.mean())


@METRICS.register(
    "mae",
    title="MAE",
    source="scikit-learn",
    tasks=NUMERIC,
    better="lower",
    unit="target",
    margin=0.02,
    relative=True,
    influence=influence,
)
def mae(answers: Answers) -> float | None:
    """Mean absolute error, in the target's unit."""
    from sklearn.metrics import mean_absolute_error

    return float(mean_absolute_error(answers.y, answers.values))
