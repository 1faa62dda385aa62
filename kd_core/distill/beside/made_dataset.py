"""Made rows in the place of the training rows: the dataset a student learns from, and its score on real rows afterwards."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from kd_core.data.dataset import Array, Dataset, Part
from kd_core.data.view import Viewed, Views
from kd_core.distill.meeting import Helper, Lesson, Met, Way, taught
from kd_core.distill.student import TrainedStudent, scoring
from kd_core.distill.terms import loss_of
from kd_core.models.building import reading_of, viewed
from kd_core.models.sizes import sizes_for
from kd_core.specs import SEVERAL, Choice
from kd_core.task import task_of
from kd_core.training.predict import predict


def made_dataset(lesson: Lesson, x: Array, answers: Array, held: int) -> tuple[Dataset, Array]:
    """Make a dataset of made rows whose labels are the teacher's; the last `held` of them validate, its test part is the real one.

    Shape: x (M, ...) as the student reads rows, answers (M, C) -> a dataset, and the answers (M - held, C) to its training rows.
    """
    dataset, task, learned = lesson.dataset, task_of(lesson.dataset.task), len(x) - held
    kind = reading_of(lesson.student.arch, dataset.views.kinds)
    whole = dataset.view(kind)
    told, scale = task.decided(answers), (dataset.target_mean, dataset.target_std)
    y = told * scale[1] + scale[0] if task.is_number else task.unscaled(told, *scale)
    y = np.asarray(y, dtype=dataset.train.y.dtype)
    seen = Viewed(whole.spec, {**whole.parts, "train": x[:learned], "validation": x[learned:]}, whole.view)
    parts = {
        "train": Part(y[:learned], np.arange(learned)),
        "validation": Part(y[learned:], np.arange(held)),
        "test": dataset.test,
    }
    found = dataclasses.replace(dataset, parts={**dataset.parts, **parts}, views=Views({kind: lambda: seen}))  # type: ignore[dict-item]
    return found, answers[:learned]


def taught_by(lesson: Lesson, way: Way, x: Array, answers: Array, held: int, name: str) -> Met:
    """Teach a student made rows alone; its epoch is chosen by agreement with the teacher on the held ones, its score is of real rows.

    `name`: what the rows are called. Shape: as `made_dataset`. Errors: as `train_student`.
    """
    dataset, told_answers = made_dataset(lesson, x, answers, held)
    own = dataclasses.replace(lesson, dataset=dataset, answers=told_answers, made=None)
    agreement = "accuracy" if task_of(dataset.task).has_classes else task_of(dataset.task).primary
    told = way.beside(name)  # its curve is not one of the run's metric
    found = taught(own, dataclasses.replace(told, metric=agreement, checkpoint=way.checkpoint))
    agreed = Helper(
        name,
        found.trained.score_selected,
        found.trained.seconds,
        sizes_for(lesson.dataset, lesson.student.arch).parameters,
        f"{agreement.replace('_', ' ')} against the teacher's answers",
    )
    return Met(_on_real_rows(found, lesson, way), (agreed,))


def _on_real_rows(found: TrainedStudent, lesson: Lesson, way: Way) -> TrainedStudent:
    """Score the chosen epoch on the real validation rows, as its baseline is; the last epoch's weights are gone."""
    rows = viewed(lesson.dataset, lesson.student.arch)
    z, score = predict(found.module, rows.parts["validation"], way.device), scoring(lesson.dataset, way.metric)
    metrics = score(z)
    value, ends = score.selection(metrics), found.trained.selected_epoch == found.trained.last_epoch
    trained = dataclasses.replace(
        found.trained, validation_selected=metrics, score_selected=value, score_last=value if ends else math.nan
    )
    return TrainedStudent(found.module, trained, {"validation": z}, rows, way.device)


def whole_lesson(objective: Choice) -> Choice:
    """Return a lesson as the teacher's alone, without labels. Errors: UnknownName, SpecError."""
    known = loss_of(objective).spec.model_fields
    whole = {"hard": 0.0} if objective.name == SEVERAL else {"alpha": 1.0} if "alpha" in known else {}
    return Choice(name=objective.name, settings={**objective.settings, **whole})
