"""One of several classes."""

from __future__ import annotations

from dataclasses import dataclass

from kd_core.task import Column, add
from kd_core.tasks.classification import Classification


@dataclass(frozen=True)
class Multiclass(Classification):
    """Three classes or more, all alike."""

    def likeness(self, column: Column) -> int:
        return 1

    def averages(self, num_classes: int) -> int:
        return num_classes


add(
    Multiclass(
        name="multiclass",
        title="several classes",
        primary="accuracy",
        stopping="log_loss",
        objective="hinton",
        averages_as="multiclass",
        beside=("log_loss",),
        usual=True,
    )
)
