"""Share of the target's variance that is explained; None for constant targets."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import r2_score

from kd_core.evaluate.base import METRICS, Answers


@METRICS.register(
    "r2", title="R²", source="scikit-learn", tasks=("regression",),
    better="higher", unit="share of variance", margin=0.005, relative=False,
)  # fmt: skip
def r2(answers: Answers) -> float | None:
    """Share of the target's variance that is explained; None for constant targets."""
    return float(r2_score(answers.y, answers.values)) if np.ptp(answers.y) > 0 else None
