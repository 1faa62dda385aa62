"""Training one student, with a teacher's answers or without: the baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from kd_core.data.dataset import Array, Dataset, Split
from kd_core.data.view import Viewed
from kd_core.distill import objective as objectives
from kd_core.distill import rounds
from kd_core.distill.inner.hints import Hints
from kd_core.distill.inner.live import show
from kd_core.distill.made_lesson import MadeLesson
from kd_core.distill.preparing import prepare
from kd_core.models.base import ARCHS
from kd_core.models.building import build_for, cpu_state, start_weights, viewed
from kd_core.seeding import derive
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from kd_core.task import task_of
from kd_core.training.loop import Notify, ShouldStop, Trained, TrainRows, check_rows, ignore, never, optimise
from kd_core.training.plan import resolve
from kd_core.training.predict import predict
from kd_core.training.scoring import Scoring

Start = Callable[[nn.Module], None]


@dataclass
class TrainedStudent:
    """A trained student. `logits` holds validation; test is computed only when `test_logits` is called."""

    module: nn.Module
    trained: Trained
    logits: dict[Split, Array]
    _rows: Viewed = field(repr=False)
    _device: torch.device = field(repr=False)

    def test_logits(self) -> Array:
        """Compute the logits of the test rows, which are read once, after all choices. Shape: (N, C)."""
        if "test" not in self.logits:
            self.logits["test"] = predict(self.module, self._rows.parts["test"], self._device)
        return self.logits["test"]

    def state_dict(self) -> dict[str, Tensor]:
        """Return the student's own weights on the CPU; a teacher is never among them."""
        return cpu_state(self.module)


def train_student(
    dataset: Dataset,
    student: StudentSpec,
    objective: Choice | None,
    teacher_logits: Array | None,
    training: TrainingSpec,
    seed: int,
    *,
    notify: Notify = ignore,
    should_stop: ShouldStop = never,
    checkpoint: Path | None = None,
    device: torch.device | None = None,
    selection_metric: str | None = None,
    hints: Hints | None = None,
    made: MadeLesson | None = None,
    start: Start | None = None,
    going_on: Mapping[str, Tensor] | None = None,
) -> TrainedStudent:
    """Train a student (objective None: its baseline).

    Start weights, batch order and dropout come from `seed` alone, so both arms differ in nothing but the
    lesson. Regression learns targets scaled to mean 0 and deviation 1. An architecture with a procedure of its own (`fits`) learns by
    that on the CPU, from the same losses, and keeps no checkpoint.
    `hints`: what the teacher thinks inside, for a loss that hears it; `made`: rows that only a taught student learns from.
    `start`: changes the start weights of the student that was built.
    `going_on`: weights to go on from in place of those of the seed, with all that the network took from the rows it knows.
    Shape: teacher_logits (N, C) for the training rows.

    Errors: Stopped when asked to stop before the first epoch ended; KDError as in `optimise`.
    """
    device = device or torch.device("cpu")
    with start_weights(seed):
        module = build_for(dataset, student.arch)
    if start is not None:
        start(module)
    labels, groups = dataset.scaled_y("train"), dataset.dealt_by()
    weights = objectives.weights_for(dataset, training)
    told = made.logits if made is not None and objective is not None else None
    loss = objectives.make(dataset.task, objective, labels, teacher_logits, weights, hints, groups, told)
    if going_on is None:
        prepare(module, dataset, student.arch, teacher_logits if loss.teacher is not None else None)
    else:
        module.load_state_dict(dict(going_on))
    entry = ARCHS.get(student.arch.name)
    loss.own(module, viewed(dataset, student.arch).spec, seed, "fits" in entry.facts)
    score = scoring(dataset, selection_metric)
    read = viewed(dataset, student.arch)
    rows = TrainRows.of(read)
    if made is not None and told is not None:
        rows = replace(TrainRows.of(made.after(read, dataset)), made=len(told))
    if "fits" in entry.facts:
        check_rows(rows)
        settings = entry.spec.parse(student.arch.settings, f"architecture {entry.name}")
        chance = task_of(dataset.task).chance(labels, dataset.num_outputs)
        own = derive(seed, "rounds")
        kinds = [kind for kind, _ in task_of(dataset.task).kinds(dataset.num_outputs)]
        more = {"apart": True} if len(kinds) > 1 or kinds[0] == "labels" else {}
        taken = np.asarray(rows.x), np.asarray(rows.x_validation)
        procedure = entry.facts["fits"](settings, *taken, chance, own, **more)
        trained = rounds.learn(module, procedure, loss, score, notify, should_stop)
        logits: dict[Split, Array] = {"validation": predict(module, rows.x_validation, device)}
        return TrainedStudent(module, trained, logits, viewed(dataset, student.arch), device)
    trained = optimise(
        module,
        rows,
        loss,
        score,
        resolve(training, len(dataset.train), student.arch.name),
        seed,
        notify=notify,
        should_stop=should_stop,
        checkpoint=checkpoint,
        device=device,
        beside=loss.module,
        groups=groups,
        begin=loss.begin,
        close=loss.close,
    )
    show(trained.module)  # nothing more of its inside: that was for the loss
    logits = {"validation": predict(trained.module, rows.x_validation, device)}
    return TrainedStudent(trained.module, trained, logits, viewed(dataset, student.arch), device)


def scoring(dataset: Dataset, metric: str | None) -> Scoring:
    """Return how students are judged after every epoch; `metric` selects it, the task's own when empty."""
    task = task_of(dataset.task)
    return Scoring(
        dataset.task,
        dataset.validation.y,
        metric or task.primary,
        dataset.target_mean,
        dataset.target_std,
        also=task.beside,
        groups=dataset.dealt_by("validation"),
    )
