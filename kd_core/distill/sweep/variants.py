"""One training among many: what distinguishes it, and what came of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from kd_core.data.dataset import Array, Dataset
from kd_core.models.building import build_for
from kd_core.specs import Choice, StudentSpec

TEACHER = "teacher"
MADE = "made"  # a table of answers to made rows (M, C)
# What students are taught: logits (N, C) for the training rows, or several such tables by name, those of `Hints` among them.
Lessons = Array | Mapping[str, Array] | None


def tables(lessons: Lessons) -> dict[str, Array]:
    """Return the tables by name; a single one is the teacher's."""
    if lessons is None:
        return {}
    return dict(lessons) if isinstance(lessons, Mapping) else {TEACHER: lessons}


def digest(lessons: Lessons) -> str:
    """Hash the tables and their names (sha256, hex)."""
    found = hashlib.sha256()
    for name, table in sorted(tables(lessons).items()):
        found.update(name.encode() + b"\0" + table.tobytes())
    return found.hexdigest()


def digest_of(state: Mapping[str, Tensor]) -> str:
    """Hash weights and their names (sha256, hex)."""
    found = hashlib.sha256()
    for name, value in sorted(state.items()):
        found.update(name.encode() + b"\0" + value.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


@dataclass(frozen=True)
class Variant:
    """A student with its own lesson, step size and seed; `objective` None is the baseline.

    `lesson` names the table of soft labels it is taught. Dropout and width belong to the student's architecture.
    A value of None is the training spec's. `made_rows`: how many times the training rows it is taught beside them. `mode`: by which
    it is trained itself; None where stored answers are all it takes.
    """

    student: StudentSpec
    objective: Choice | None
    seed: int
    learning_rate: float | None = None
    weight_decay: float | None = None
    lesson: str = TEACHER
    made_rows: int = 0
    mode: Choice | None = None


@dataclass
class TrainedVariant:
    """A variant at its selected epoch. Scores are the selection metric on validation; `state` is on the CPU.

    `stopped`: a person asked to stop, this is the best so far. `diverged`: why it has no usable end (it then holds
    its best epoch before, or an empty `state` when there was none). `helpers`: what learned for its sake, as `Helper.told`.
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
    helpers: list[dict[str, Any]] = field(default_factory=list)

    def module(self, dataset: Dataset) -> nn.Module:
        """Build the network with these weights, in evaluation mode."""
        made = build_for(dataset, self.variant.student.arch)
        made.load_state_dict(self.state)
        return made.eval()
