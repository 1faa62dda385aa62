"""Share of the target's variance that is explained; None for constant targets."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import NUMERIC


def influence(answers: Answers) -> Array | None:
    """Linearise 1 - error / variance (delta method)."""
    assert answers.values is not None
    if not np.ptp(answers.y) > 0:
        return None
    squared, spread = (answers.values - answers.y) ** 2, (answers.y - answers.y.mean()) ** 2
    error, variance = squared.mean(), spread.mean()
    return np.asarray(error / variance * (spread / variance - 1) - (squared - error) / variance)


@METRICS.register(
    "r2",
    title="R²",
    source="scikit-learn",
    tasks=NUMERIC,
    better="higher",
    unit="share of variance",
    margin=0.005,
    relative=False,
    influence=influence,
)
def r2(answers: Answers) -> float | None:
    """Share of the target's variance that is explained; None for constant targets."""
    from sklearn.metrics import r2_score

    return float(r2_score(answers.y, answers.values)) if np.ptp(answers.y) > 0 else None
