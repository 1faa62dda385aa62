"""Of the rows called positive, the share that is; mean over classes when there are more than two."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate import confusion
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import CLASSIFICATION


def influence(answers: Answers) -> Array | None:
    """Linearise the precision of the class that each row is called (delta method); 0 where no row is called positive."""
    y, called = answers.y, answers.predicted
    right = (y == called).astype(np.float64)
    if answers.has_positive:
        positive = (called == 1).astype(np.float64)
        if not positive.any():
            return np.zeros(len(y)) if (y == 1).any() else None
        return np.asarray(positive * (right - right[called == 1].mean()) * len(y) / positive.sum())
    most = int(max(y.max(), called.max())) + 1
    count = np.bincount(called, minlength=most)
    share = np.bincount(called, weights=right, minlength=most) / np.maximum(count, 1)
    known = ((count > 0) | (np.bincount(y, minlength=most) > 0)).sum()
    return np.asarray((right - share[called]) / count[called] * len(y) / known)


@METRICS.register(
    "precision",
    title="Precision",
    source="numpy; equals scikit-learn",
    tasks=CLASSIFICATION,
    better="higher",
    unit="share",
    margin=0.005,
    relative=False,
    influence=influence,
)
def precision(answers: Answers) -> float | None:
    """Measure precision; binary: 0 when no row is called positive though some are, None when none is."""
    if answers.has_positive:
        called = answers.predicted == 1
        if not called.any():
            return 0.0 if (answers.y == 1).any() else None
        return int((answers.y[called] == 1).sum()) / int(called.sum())
    right, _, called = confusion.per_class(answers.y, answers.predicted)
    return float((right / np.maximum(called, 1)).mean())
