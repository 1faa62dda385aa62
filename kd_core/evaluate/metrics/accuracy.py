"""Share of rows whose most likely class is the right one."""

from __future__ import annotations

from sklearn.metrics import accuracy_score

from kd_core.evaluate.base import METRICS, Answers
from kd_core.specs import CLASSIFICATION


@METRICS.register(
    "accuracy", title="Accuracy", source="scikit-learn", tasks=CLASSIFICATION,
    better="higher", unit="share", margin=0.005, relative=False,
)  # fmt: skip
def accuracy(answers: Answers) -> float | None:
    """Share of rows whose most likely class is the right one."""
    return float(accuracy_score(answers.y, answers.predicted))
