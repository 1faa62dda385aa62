"""Harmonic mean of precision and recall of the positive class."""

from __future__ import annotations

from sklearn.metrics import f1_score

from kd_core.evaluate.base import METRICS, Answers


@METRICS.register(
    "f1", title="F1 (positive class)", source="scikit-learn", tasks=("binary",),
    better="higher", unit="share", margin=0.005, relative=False,
)  # fmt: skip
def f1(answers: Answers) -> float | None:
    """Measure F1 of class 1; None when that class neither occurs nor is predicted."""
    if not ((answers.y == 1) | (answers.predicted == 1)).any():
        return None
    return float(f1_score(answers.y, answers.predicted, pos_label=1))
