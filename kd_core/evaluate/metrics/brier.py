"""Mean squared distance between the probabilities and what happened."""

from __future__ import annotations

import numpy as np

from kd_core.evaluate.base import METRICS, Answers
from kd_core.specs import CLASSIFICATION


@METRICS.register(
    "brier", title="Brier score", source="Brier 1950; the positive class alone for two classes, as scikit-learn has it", tasks=CLASSIFICATION,
    better="lower", unit="squared probability", margin=0.02, relative=True,
)  # fmt: skip
def brier(answers: Answers) -> float | None:
    """Mean squared distance between the probabilities and what happened."""
    assert answers.p is not None
    if answers.task == "binary":
        return float(np.mean((answers.p[:, 1] - answers.y) ** 2))
    happened = np.eye(answers.p.shape[1])[answers.y]
    return float(np.mean(((answers.p - happened) ** 2).sum(axis=1)))
