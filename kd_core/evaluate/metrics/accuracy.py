"""Share of rows whose most likely class is the right one."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import CLASSIFICATION


def influence(answers: Answers) -> Array:
    """Right or wrong, less the mean."""
    right = (answers.predicted == answers.y).astype(np.float64)
    return np.asarray(right - right.mean())


@METRICS.register(
    "accuracy",
    title="Accuracy",
    source="scikit-learn",
    tasks=CLASSIFICATION,
    better="higher",
    unit="share",
    margin=0.005,
    relative=False,
    influence=influence,
)
def accuracy(answers: Answers) -> float | None:
    """Share of rows whose most likely class is the right one."""
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(answers.y, answers.predicted))
