"""Of the positive rows, the share that is found; mean over classes when there are more than two."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate import confusion
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import CLASSIFICATION


def influence(answers: Answers) -> Array | None:
    """Linearise the recall of each row's class (delta method)."""
    y, called = answers.y, answers.predicted
    right = (y == called).astype(np.float64)
    if answers.has_positive:
        positive = (y == 1).astype(np.float64)
        if not positive.any():
            return None
        return np.asarray(positive * (right - right[y == 1].mean()) * len(y) / positive.sum())
    most = int(max(y.max(), called.max())) + 1
    count = np.bincount(y, minlength=most)
    share = np.bincount(y, weights=right, minlength=most) / np.maximum(count, 1)
    known = ((count > 0) | (np.bincount(called, minlength=most) > 0)).sum()
    return np.asarray((right - share[y]) / count[y] * len(y) / known)


@METRICS.register(
    "recall",
    title="Recall",
    source="numpy; equals scikit-learn",
    tasks=CLASSIFICATION,
    better="higher",
    unit="share",
    margin=0.005,
    relative=False,
    influence=influence,
)
def recall(answers: Answers) -> float | None:
    """Measure recall; None when no row is positive (binary)."""
    if answers.has_positive:
        of = answers.y == 1
        if not of.any():
            return None
        return int((answers.predicted[of] == 1).sum()) / int(of.sum())
    right, of, _ = confusion.per_class(answers.y, answers.predicted)
    return float((right / np.maximum(of, 1)).mean())
