"""What is to be trained, and who is told: the two things that every way of training takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Self

import torch
from torch import Tensor

from kd_core.data.dataset import Dataset
from kd_core.distill.made_lesson import MadeLesson
from kd_core.distill.sweep.variants import MADE, Lessons, TrainedVariant, Variant, tables
from kd_core.specs import Choice, TrainingSpec
from kd_core.task import task_of
from kd_core.teachers.made_rows import MadeRows
from kd_core.training.loop import Notify, ShouldStop, ignore, never

Precision = Literal["float32", "bfloat16", "float64"]
OnTrained = Callable[
    [int, TrainedVariant], None
]  # (number, result) of a variant that has ended; in the caller's thread
CPU = torch.device("cpu")


def forget(number: int, trained: TrainedVariant) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Hooks:
    """Who is told of events and of ended trainings, and who is asked whether to stop."""

    notify: Notify = ignore
    should_stop: ShouldStop = never
    on_trained: OnTrained = forget


@dataclass(frozen=True)
class SweepWork:
    """Variants by number, and all that they share. Events and results name a variant by its number.

    `metric` selects epochs. With a `folder`, long trainings leave checkpoints there from which the same work goes on.
    With `curves` every epoch of every variant is told with its losses, instead of the best scores of all.
    `teacher`: who teaches, for a mode that trains it beside the students. `starts`: by number the weights that a variant goes on from.
    Shape: every table of `lessons` (N, C), for the training rows, and one (M, C) for the `made` rows where there are any.
    """

    dataset: Dataset
    variants: Mapping[int, Variant]
    lessons: Lessons
    training: TrainingSpec
    metric: str
    precision: Precision = "float32"
    device: torch.device = CPU
    folder: Path | None = None
    curves: bool = False
    made: MadeRows | None = None
    teacher: Choice | None = None
    starts: Mapping[int, Mapping[str, Tensor]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        variants: Sequence[Variant],
        lessons: Lessons,
        training: TrainingSpec,
        metric: str | None = None,
        **more: object,
    ) -> Self:
        """Number a list of variants from 0; the metric is the task's own when none is named."""
        chosen = metric or task_of(dataset.task).primary
        return cls(dataset, dict(enumerate(variants)), lessons, training, chosen, **more)  # type: ignore[arg-type]

    def made_lesson(self, variant: Variant) -> MadeLesson | None:
        """Return the made rows that a variant is taught, with the teacher's answers."""
        if not variant.made_rows or variant.objective is None:
            return None
        assert self.made is not None
        return MadeLesson(self.made, tables(self.lessons)[MADE], variant.made_rows)

    def only(self, numbers: Iterable[int]) -> Self:
        """Return a part of the work; its variants keep their numbers."""
        return replace(self, variants={n: self.variants[n] for n in numbers})
