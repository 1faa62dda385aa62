"""Mean F1 over the classes that occur or are predicted."""

from __future__ import annotations

from sklearn.metrics import f1_score

from kd_core.evaluate.base import METRICS, Answers
from kd_core.specs import CLASSIFICATION


@METRICS.register(
    "f1_macro", title="F1 (macro)", source="scikit-learn", tasks=CLASSIFICATION,
    better="higher", unit="share", margin=0.005, relative=False,
)  # fmt: skip
def f1_macro(answers: Answers) -> float | None:
    """Mean F1 over the classes that occur or are predicted."""
    return float(f1_score(answers.y, answers.predicted, average="macro", zero_division=0))
