"""Mean squared distance between the probabilities and what happened."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import CLASSIFICATION


def _row_values(answers: Answers) -> Array:
    assert answers.p is not None
    if answers.has_positive:
        return np.asarray((answers.p[:, 1] - answers.y) ** 2)
    happened = np.eye(answers.p.shape[1])[answers.y]
    return np.asarray(((answers.p - happened) ** 2).sum(axis=1))


def influence(answers: Answers) -> Array:
    """Each row's own value, less the mean."""
    values = _row_values(answers)
    return np.asarray(values - values.mean())


@METRICS.register(
    "brier",
    title="Brier score",
    source="Brier 1950; the positive class alone for two classes, as scikit-learn has it",
    tasks=CLASSIFICATION,
    better="lower",
    unit="squared probability",
    margin=0.02,
    relative=True,
    influence=influence,
)
def brier(answers: Answers) -> float | None:
    """Mean squared distance between the probabilities and what happened."""
    return float(_row_values(answers).mean())
