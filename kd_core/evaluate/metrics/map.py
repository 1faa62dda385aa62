"""Mean average precision: the area under each label's precision-recall curve, mean over the labels that some row has."""

from __future__ import annotations

from typing import Any

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate import labels
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import EACH_ALONE


def influence(answers: Answers) -> Array | None:
    """Each label's own, as of `pr_auc`, mean over the labels."""
    z, at = labels.scores(answers), np.flatnonzero(answers.y.any(axis=0))
    found = [labels.precision_influence(answers.y[:, k], z[:, k]) for k in at]
    return np.mean(found, axis=0) if found else None


def reference(answers: Answers) -> float:
    """scikit-learn's average precision, label by label."""
    from sklearn.metrics import average_precision_score

    at = np.flatnonzero(answers.y.any(axis=0))
    return float(np.mean([average_precision_score(answers.y[:, k], labels.scores(answers)[:, k]) for k in at]))


def weighted(weights: Array, answers: Answers) -> Array:
    """The same with rows weighted. Shape: (D, N) -> (D,)."""
    from sklearn.metrics import average_precision_score

    at, z = np.flatnonzero(answers.y.any(axis=0)), labels.scores(answers)

    def one(w: Any) -> float:
        found = [
            average_precision_score(answers.y[:, k], z[:, k], sample_weight=w)
            for k in at
            if w[answers.y[:, k] > 0].any()
        ]
        return float(np.mean(found))

    return np.array([one(w) for w in weights])


@METRICS.register(
    "map",
    title="Mean average precision (labels)",
    source="numpy; equals scikit-learn",
    tasks=EACH_ALONE,
    better="higher",
    unit="share",
    margin=0.005,
    relative=False,
    influence=influence,
    reference=reference,
    weighted=weighted,
)
def mean_average_precision(answers: Answers) -> float | None:
    """Mean over the labels that some row has; None where no row has any."""
    z = labels.scores(answers)
    found = [labels.precision_of(answers.y[:, k], z[:, k]) for k in range(z.shape[1])]
    known = [value for value in found if value is not None]
    return float(np.mean(known)) if known else None
