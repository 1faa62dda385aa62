"""Mean negative log of the probability given to the right answer of each label: a mean over labels, then over rows."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate import labels
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import EACH_ALONE


def influence(answers: Answers) -> Array:
    """Each row's own value, less the mean."""
    values = labels.losses(answers).mean(axis=1)
    return np.asarray(values - values.mean())


def reference(answers: Answers) -> float:
    """scikit-learn's log loss, label by label."""
    from sklearn.metrics import log_loss

    assert answers.p is not None
    each = [log_loss(answers.y[:, k], answers.p[:, k], labels=[0, 1]) for k in range(answers.y.shape[1])]
    return float(np.mean(each))


def weighted(weights: Array, answers: Answers) -> Array:
    """The same with rows weighted. Shape: (D, N) -> (D,)."""
    return np.asarray(weights @ labels.losses(answers).mean(axis=1) / weights.sum(axis=1))


@METRICS.register(
    "label_log_loss",
    title="Log loss (labels)",
    source="numpy; equals scikit-learn",
    tasks=EACH_ALONE,
    better="lower",
    unit="nats",
    margin=0.02,
    relative=True,
    influence=influence,
    reference=reference,
    weighted=weighted,
)
def label_log_loss(answers: Answers) -> float | None:
    """Mean over labels and rows."""
    return float(labels.losses(answers).mean())
