"""What every metric is: labels and answers in, one number out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.ranking import Ranking, margins
from kd_core.registry import Registry
from kd_core.task import task_of


@dataclass(frozen=True)
class Answers:
    """A model's answers for one part. Legend: N rows, C classes.

    y_N labels (int64 class index, or float target in its own unit); p_NC float64 probabilities
    (classification, rows sum to 1); values_N float64 predictions in the target's unit (regression);
    z_NC the logits behind p, by which rows are ranked where they are known; parts the answers to tasks inside this one, by name.
    kept_NW: the short form of answers to a catalogue, see `Task.kept` (no p then).
    groups_N: numbers of the groups whose rows are compared with each other, for a task that deals by group.
    """

    task: str
    y: Array
    p: Array | None = None
    values: Array | None = None
    z: Array | None = field(default=None, repr=False)
    parts: Mapping[str, Answers] = field(default_factory=dict, repr=False)
    groups: Array | None = field(default=None, repr=False)
    kept: Array | None = field(default=None, repr=False)

    @property
    def has_positive(self) -> bool:
        """Whether there are two classes of which class 1 counts as yes."""
        return task_of(self.task).positive

    @cached_property
    def predicted(self) -> Array:
        """Predicted class index per row (classification)."""
        assert self.p is not None
        return np.asarray(self.p.argmax(axis=1))

    @cached_property
    def margins(self) -> Array:
        """How far each class lies above the others, in log-odds; probabilities where no logits are known.

        The order is that of the probabilities without their ties: in float64 all softmax values above a logit
        difference of 37 are the same 1.0. Shape: (N, C).
        """
        assert self.p is not None
        return self.p if self.z is None else margins(self.z)

    def ranking(self, c: int) -> Ranking:
        """Rank the rows by their margin of class `c`; sorted once for two classes, where two metrics ask for it."""
        return self._positive if c == 1 and self.has_positive else Ranking(self.margins[:, c])

    @cached_property
    def _positive(self) -> Ranking:
        return Ranking(self.margins[:, 1])


# A metric returns NaN-free float, or None when it is undefined on these rows (one class only, say).
MetricFunction = Callable[[Answers], float | None]
# How the metric moves when one row weighs more: (N,) values of mean zero, in the metric's unit; None where the metric is.
InfluenceFunction = Callable[[Answers], Array | None]

# facts: better="higher"|"lower", unit="share"|"nats"|"target"|..., margin=float, relative=bool (margin is a share of the
# baseline), reference=function(answers) and weighted=function(weights (D, N), answers) -> (D,), with which the laws compare a metric
# that they don't know by themselves, influence=InfluenceFunction, or None with no_influence="why" and parts=..., from_parts=... (see row_spread)
METRICS: Registry[MetricFunction] = Registry("metric")


def better_of(metric: str) -> Literal["higher", "lower"]:
    """Which direction of a metric is an improvement."""
    return "lower" if METRICS.get(metric).facts["better"] == "lower" else "higher"


def settling(task: str) -> str | None:
    """Name the loss that decides between epochs of the same score; None where none is told after every epoch of the task."""
    found = task_of(task)
    return found.stopping if found.stopping in found.beside else None


def measure(answers: Answers) -> dict[str, float | None]:
    """Compute every registered metric that fits the task."""
    fitting = [e for e in METRICS.entries() if e.works_for(answers.task)]
    return {e.name: e.make(answers) if len(answers.y) else None for e in fitting}
