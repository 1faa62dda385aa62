"""Harmonic mean of precision and recall of the positive class."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import POSITIVE


def influence(answers: Answers) -> Array | None:
    """Linearise 2 TP / (positive + called positive) (delta method)."""
    positive, called = answers.y == 1, answers.predicted == 1
    total = positive.sum() + called.sum()
    if not total:
        return None
    both = (positive & called).astype(np.float64)
    f = 2 * both.sum() / total
    return np.asarray((2 * both - f * positive - f * called) * len(both) / total)


@METRICS.register(
    "f1",
    title="F1 (positive class)",
    source="numpy; equals scikit-learn",
    tasks=POSITIVE,
    better="higher",
    unit="share",
    margin=0.005,
    relative=False,
    influence=influence,
)
def f1(answers: Answers) -> float | None:
    """Measure F1 of class 1; None when that class neither occurs nor is predicted."""
    positive, called = answers.y == 1, answers.predicted == 1
    total = int(positive.sum() + called.sum())
    return 2.0 * int((positive & called).sum()) / total if total else None
