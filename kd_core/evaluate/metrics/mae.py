"""Mean absolute error, in the target's unit."""

from __future__ import annotations

from sklearn.metrics import mean_absolute_error

from kd_core.evaluate.base import METRICS, Answers


@METRICS.register(
    "mae", title="MAE", source="scikit-learn", tasks=("regression",),
    better="lower", unit="target", margin=0.02, relative=True,
)  # fmt: skip
def mae(answers: Answers) -> float | None:
    """Mean absolute error, in the target's unit."""
    return float(mean_absolute_error(answers.y, answers.values))
