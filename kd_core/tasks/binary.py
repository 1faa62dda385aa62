"""Yes or no: two classes, of which class 1 is the one asked for."""

from __future__ import annotations

from dataclasses import dataclass

from kd_core.task import Column, add
from kd_core.tasks.classification import Classification


@dataclass(frozen=True)
class Binary(Classification):
    """Two classes; the positive one is class 1."""

    def likeness(self, column: Column) -> int:
        return 3 if column.distinct == 2 else 0

    def averages(self, num_classes: int) -> int:
        return 1


add(
    Binary(
        name="binary",
        title="yes or no",
        primary="roc_auc",
        stopping="log_loss",  # ranking metrics forgive over-confident probabilities, and students learn from those
        objective="hinton",
        averages_as="binary",
        beside=("log_loss",),
        positive=True,
    )
)
