"""F1 of each label by itself, mean over the labels that occur or are called: rare labels count as much as common ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate import labels
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import EACH_ALONE


def influence(answers: Answers) -> Array | None:
    """Linearise each label's 2 TP / (positive + called positive) (delta method), mean over labels."""
    y, told = answers.y > 0, labels.called(answers)
    right, of = labels.f1_counts(answers)
    if not of.any():
        return None
    at = of > 0
    f = 2 * right[at] / of[at]
    each = (2.0 * (y & told)[:, at] - f * y[:, at] - f * told[:, at]) * len(y) / of[at]
    return np.asarray(each.mean(axis=1))


def reference(answers: Answers) -> float:
    """scikit-learn's, of the labels that occur or are called."""
    from sklearn.metrics import f1_score

    _, of = labels.f1_counts(answers)
    return float(f1_score(answers.y, labels.called(answers), average=None, zero_division=0.0)[of > 0].mean())


def weighted(weights: Array, answers: Answers) -> Array:
    """The same with rows weighted. Shape: (D, N) -> (D,)."""
    y, told = answers.y > 0, labels.called(answers)
    right, of = weights @ (y & told), weights @ (y.astype(np.float64) + told)

    def one(r: Any, o: Any) -> float:
        return float((2 * r[o > 0] / o[o > 0]).mean())

    return np.array([one(r, o) for r, o in zip(right, of, strict=True)])


@METRICS.register(
    "label_f1_macro",
    title="F1 (macro, labels)",
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
def label_f1_macro(answers: Answers) -> float | None:
    """Mean F1 over the labels that occur or are called; None where there are none."""
    right, of = labels.f1_counts(answers)
    return float((2.0 * right[of > 0] / of[of > 0]).mean()) if of.any() else None
