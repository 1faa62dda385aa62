"""Mean average precision: the area under each label's precision-recall curve, mean over the labels that some row has."""

from __future__ import annotations

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
    z, each = labels.scores(answers), []
    for k in np.flatnonzero(answers.y.any(axis=0)):
        order = np.argsort(-z[:, k], kind="stable")
        falling, w = z[order, k], weights[:, order]
        last = np.searchsorted(-falling, -falling, side="right") - 1  # of those that say the same
        hit = w * (answers.y[order, k] > 0)
        right, called = hit.cumsum(axis=1), w.cumsum(axis=1)[:, last]
        precision = np.divide(right[:, last], called, out=np.zeros(w.shape), where=called > 0)
        with np.errstate(invalid="ignore"):
            each.append((hit * precision).sum(axis=1) / right[:, -1])  # not a number where no row drawn has the label
    return np.asarray(np.nanmean(each, axis=0))


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
