"""Area under the precision-recall curve (average precision); mean over the classes that occur when there are more than two."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import CLASSIFICATION


def influence(answers: Answers) -> Array | None:
    """Differentiate average precision by each row's weight: its own precision, and what it does at every score below its own.

    With K rows and TP positive ones at or above a score, AP = mean of TP / K over positive rows; one more row k
    changes TP / K by (y_k - TP / K) / K at every score up to its own. Rows of equal score share one threshold.
    Source: the infinitesimal jackknife (Hampel 1974, doi:10.1080/01621459.1974.10482962).
    """
    found = [_of_class(answers, c) for c in _classes(answers)]
    return np.mean(found, axis=0) if found else None


def _of_class(answers: Answers, c: int) -> Array:
    ranking = answers.ranking(c)
    positive = (answers.y == c).astype(np.float64)[ranking.order]
    n, num_positive = len(positive), positive.sum()
    at_or_above = (n - ranking.first).astype(np.float64)  # K, the same inside a group
    true = num_positive - ranking.before(positive)  # TP
    precision = true / at_or_above
    each = positive / at_or_above
    average = precision @ positive / num_positive
    placed = positive * (precision - average + ranking.through(each)) - ranking.through(each * precision)
    return ranking.spread(placed * n / num_positive)


def _classes(answers: Answers) -> list[int]:
    """Classes that occur; of two classes the positive one."""
    occurring = [int(c) for c in np.unique(answers.y)]
    return [c for c in occurring if c == 1] if answers.has_positive else occurring


@METRICS.register(
    "pr_auc",
    title="PR-AUC",
    source="scikit-learn, on logit differences",
    tasks=CLASSIFICATION,
    better="higher",
    unit="share",
    margin=0.005,
    relative=False,
    influence=influence,
)
def pr_auc(answers: Answers) -> float | None:
    """Measure average precision; None when no row is positive (binary)."""
    from sklearn.metrics import average_precision_score

    found = [average_precision_score(answers.y == c, answers.margins[:, c]) for c in _classes(answers)]
    return float(np.mean(found)) if found else None
