"""Mean recall over the classes that occur, so that rare classes count as much as common ones."""

from __future__ import annotations

import numpy as np

from kd_core.evaluate.base import METRICS, Answers
from kd_core.specs import CLASSIFICATION


@METRICS.register(
    "balanced_accuracy", title="Balanced accuracy", source="numpy; equals scikit-learn, which warns when a predicted class does not occur", tasks=CLASSIFICATION,
    better="higher", unit="share", margin=0.005, relative=False,
)  # fmt: skip
def balanced_accuracy(answers: Answers) -> float | None:
    """Mean recall over the classes that occur, so that rare classes count as much as common ones."""
    occurs = np.bincount(answers.y)
    right = np.bincount(answers.y[answers.predicted == answers.y], minlength=len(occurs))
    return float((right[occurs > 0] / occurs[occurs > 0]).mean())
