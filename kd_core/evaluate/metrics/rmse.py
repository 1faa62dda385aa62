"""Root mean squared error, in the target's unit."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import mean_squared_error

from kd_core.evaluate.base import METRICS, Answers


@METRICS.register(
    "rmse", title="RMSE", source="scikit-learn", tasks=("regression",),
    better="lower", unit="target", margin=0.02, relative=True,
)  # fmt: skip
def rmse(answers: Answers) -> float | None:
    """Root mean squared error, in the target's unit."""
    return float(np.sqrt(mean_squared_error(answers.y, answers.values)))
