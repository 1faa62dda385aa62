"""One training among many: what distinguishes it, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from kd_core.data.dataset import Dataset
from kd_core.models.building import build
from kd_core.specs import Choice, StudentSpec


@dataclass(frozen=True)
class Variant:
    """A student with its own lesson, step size and seed; `objective` None is the baseline.

    Dropout and width belong to the student's architecture. A value of None is the training spec's.
    """

    student: StudentSpec
    objective: Choice | None
    seed: int
    learning_rate: float | None = None
    weight_decay: float | None = None


@dataclass
class TrainedVariant:
    """A variant at its selected epoch. Scores are the selection metric on validation; `state` is on the CPU.

    `stopped`: a person asked to stop, this is the best so far. `diverged`: why it has no usable end (it then holds
    its best epoch before, or an empty `state` when there was none).
    """

    variant: Variant
    state: dict[str, Tensor]
    selected_epoch: int
    last_epoch: int
    score_selected: float
    score_last: float
    seconds: float
    stopped: bool = False
    diverged: str | None = None
    history: list[dict[str, Any]] = field(default_factory=list)

    def module(self, dataset: Dataset) -> nn.Module:
        """Build the network with these weights, in evaluation mode."""
        made = build(self.variant.student.arch, dataset.num_features, dataset.num_outputs)
        made.load_state_dict(self.state)
        return made.eval()


# told (position in the list that was asked for, result) as soon as a variant has ended
OnTrained = Callable[[int, TrainedVariant], None]
