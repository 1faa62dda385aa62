"""Mean recall over the classes that occur, so that rare classes count as much as common ones."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import CLASSIFICATION


def influence(answers: Answers) -> Array:
    """Linearise the recall of each row's class (delta method)."""
    y, right = answers.y, answers.predicted == answers.y
    occurs = np.bincount(y)
    recall = np.bincount(y, weights=right) / np.maximum(occurs, 1)
    return np.asarray((right - recall[y]) / occurs[y] * len(y) / (occurs > 0).sum())


@METRICS.register(
    "balanced_accuracy",
    title="Balanced accuracy",
    source="numpy; equals scikit-learn, which warns when a predicted class does not occur",
    tasks=CLASSIFICATION,
    better="higher",
    unit="share",
    margin=0.005,
    relative=False,
    influence=influence,
)
def balanced_accuracy(answers: Answers) -> float | None:
    """Mean recall over the classes that occur, so that rare classes count as much as common ones."""
    occurs = np.bincount(answers.y)
    right = np.bincount(answers.y[answers.predicted == answers.y], minlength=len(occurs))
    return float((right[occurs > 0] / occurs[occurs > 0]).mean())
