"""Of the positive rows, the share that is found; mean over classes when there are more than two."""

from __future__ import annotations

from sklearn.metrics import recall_score

from kd_core.evaluate.base import METRICS, Answers
from kd_core.specs import CLASSIFICATION


@METRICS.register(
    "recall", title="Recall", source="scikit-learn", tasks=CLASSIFICATION,
    better="higher", unit="share", margin=0.005, relative=False,
)  # fmt: skip
def recall(answers: Answers) -> float | None:
    """Measure recall; None when no row is positive (binary)."""
    if answers.task == "binary":
        if not (answers.y == 1).any():
            return None
        return float(recall_score(answers.y, answers.predicted, pos_label=1))
    return float(recall_score(answers.y, answers.predicted, average="macro", zero_division=0))
