"""How a network is judged on the validation rows after every epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kd_core.data.dataset import Array
from kd_core.errors import KDError
from kd_core.evaluate import METRICS
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import better_of, settling
from kd_core.task import Scale


@dataclass(frozen=True)
class Scoring:
    """Score validation logits; `metric` selects the epoch, `also` are shown beside it.

    `y` holds class indices, or regression targets in their own unit with the `mean` and `std` that scaled them
    (give scaled targets and keep 0 and 1 when the unit does not matter). `groups` as in `Answers`.
    """

    task: str
    y: Array
    metric: str
    mean: Scale = 0.0
    std: Scale = 1.0
    also: tuple[str, ...] = ()
    groups: Array | None = None

    @property
    def better(self) -> Literal["higher", "lower"]:
        """Which direction of the selection metric is an improvement."""
        return better_of(self.metric)

    def __call__(self, z: Array) -> dict[str, float | None]:
        """Measure the selection metric and the ones beside it. Shape: z (N, C)."""
        answers = from_logits(self.task, self.y, z, self.mean, self.std, self.groups)
        names = dict.fromkeys((self.metric, *self.also))
        return {name: METRICS.get(name).make(answers) for name in names}

    def loss(self, metrics: dict[str, float | None]) -> float | None:
        """Return what decides between epochs of the same value, where it was measured."""
        return metrics.get(settling(self.task) or "")

    def selection(self, metrics: dict[str, float | None]) -> float:
        """Return the value that decides. Errors: KDError when the validation rows leave it undefined."""
        value = metrics[self.metric]
        if value is None:
            raise KDError(
                "The metric '{metric}' is undefined on the {rows} validation rows, so no epoch can be chosen by it.",
                "Choose another metric, or make the validation part larger.",
                "undefined_selection",
                metric=self.metric,
                rows=len(self.y),
            )
        return value
