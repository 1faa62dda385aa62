"""What every metric is: labels and answers in, one number out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kd_core.data.dataset import Array
from kd_core.registry import Registry
from kd_core.specs import Task


@dataclass(frozen=True)
class Answers:
    """A model's answers for one part. Legend: N rows, C classes.

    y_N labels (int64 class index, or float target in its own unit); p_NC float64 probabilities
    (classification, rows sum to 1); values_N float64 predictions in the target's unit (regression).
    """

    task: Task
    y: Array
    p: Array | None = None
    values: Array | None = None

    @property
    def predicted(self) -> Array:
        """Predicted class index per row (classification)."""
        assert self.p is not None
        return np.asarray(self.p.argmax(axis=1))


# A metric returns NaN-free float, or None when it is undefined on these rows (one class only, say).
MetricFunction = Callable[[Answers], float | None]

# facts: better="higher"|"lower", unit="share"|"nats"|"target"|..., margin=float, relative=bool (margin is a share of the baseline)
METRICS: Registry[MetricFunction] = Registry("metric")

PRIMARY: dict[str, str] = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "rmse"}


def better_of(metric: str) -> Literal["higher", "lower"]:
    """Which direction of a metric is an improvement."""
    return "lower" if METRICS.get(metric).facts["better"] == "lower" else "higher"


def measure(answers: Answers) -> dict[str, float | None]:
    """Compute every registered metric that fits the task."""
    fitting = [e for e in METRICS.entries() if answers.task in e.tasks]
    return {e.name: e.make(answers) if len(answers.y) else None for e in fitting}
