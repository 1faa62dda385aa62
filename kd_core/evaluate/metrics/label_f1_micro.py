"""F1 over all labels of all rows together: every right label counts alike, so common labels decide."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate import labels
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import EACH_ALONE


def influence(answers: Answers) -> Array | None:
    """Linearise 2 TP / (positive + called positive), both summed over labels (delta method)."""
    y, told = answers.y > 0, labels.called(answers)
    right, of = (y & told).sum(axis=1).astype(np.float64), (y.sum(axis=1) + told.sum(axis=1)).astype(np.float64)
    total = of.sum()
    return np.asarray((2 * right - 2 * right.sum() / total * of) * len(y) / total) if total else None


def reference(answers: Answers) -> float:
    """scikit-learn's."""
    from sklearn.metrics import f1_score

    return float(f1_score(answers.y, labels.called(answers), average="micro"))


def weighted(weights: Array, answers: Answers) -> Array:
    """The same with rows weighted. Shape: (D, N) -> (D,)."""
    y, told = answers.y > 0, labels.called(answers)
    right, of = (y & told).sum(axis=1), y.sum(axis=1) + told.sum(axis=1)
    return np.asarray(2 * (weights @ right) / (weights @ of))


@METRICS.register(
    "label_f1_micro",
    title="F1 (micro, labels)",
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
def label_f1_micro(answers: Answers) -> float | None:
    """Measure F1 over all labels; None where none is right or called."""
    right, of = labels.f1_counts(answers)
    return float(2.0 * right.sum() / of.sum()) if of.sum() else None
