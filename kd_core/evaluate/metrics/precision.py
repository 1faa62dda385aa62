"""Of the rows called positive, the share that is; mean over classes when there are more than two."""

from __future__ import annotations

from sklearn.metrics import precision_score

from kd_core.evaluate.base import METRICS, Answers
from kd_core.specs import CLASSIFICATION


@METRICS.register(
    "precision", title="Precision", source="scikit-learn", tasks=CLASSIFICATION,
    better="higher", unit="share", margin=0.005, relative=False,
)  # fmt: skip
def precision(answers: Answers) -> float | None:
    """Measure precision; binary: 0 when no row is called positive though some are, None when none is."""
    if answers.task == "binary":
        if not (answers.predicted == 1).any():
            return 0.0 if (answers.y == 1).any() else None
        return float(precision_score(answers.y, answers.predicted, pos_label=1))
    return float(precision_score(answers.y, answers.predicted, average="macro", zero_division=0))
