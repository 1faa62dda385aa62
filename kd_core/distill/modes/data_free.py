"""Distilling without a training row: the student sees made-up rows only, and what the teacher says of them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from pydantic import Field

from kd_core.data.dataset import Array, Dataset, Part
from kd_core.data.view import Viewed, Views
from kd_core.distill.beside import made_up
from kd_core.distill.meeting import MODES, Helper, Lesson, Met, Way, taught
from kd_core.distill.student import TrainedStudent, scoring
from kd_core.distill.terms import loss_of
from kd_core.errors import KDError
from kd_core.models.building import reading_of, viewed
from kd_core.models.sizes import sizes_for
from kd_core.specs import SEVERAL, Choice, RunSpec, Spec, unit
from kd_core.task import task_of
from kd_core.training.predict import predict

MADE_UP = "made-up rows"


class DataFreeSpec(Spec):
    """How many rows are made up."""

    rows: int = Field(
        1,
        ge=1,
        le=8,
        description="Made-up rows, as many times the training rows; with 1 a student takes as many steps as its baseline.",
        json_schema_extra=unit("times the training rows"),
    )


def recipe(spec: DataFreeSpec, run: RunSpec) -> RunSpec:
    """Give the teacher the whole lesson, and let it answer made-up rows."""
    try:
        known = loss_of(run.objective).spec.model_fields
    except KDError:  # told with everything else that can't work
        return run
    whole = {"hard": 0.0} if run.objective.name == SEVERAL else {"alpha": 1.0} if "alpha" in known else {}
    lesson = Choice(name=run.objective.name, settings={**run.objective.settings, **whole})
    training = run.training.model_copy(update={"made_rows": 1})
    return run.model_copy(update={"objective": lesson, "training": training})


def rows(spec: DataFreeSpec, dataset: Dataset, folds: int, seed: int) -> made_up.MadeUpRows:
    """Make up the rows that the teacher is asked about. Errors: as `made_up.make`."""
    return made_up.make(dataset, folds, seed, spec.rows * len(dataset.train), len(dataset.validation))


def answered(lesson: Lesson, rows: made_up.MadeUpRows, answers: Array) -> tuple[Dataset, Array]:
    """Make a dataset of made-up rows whose labels are the teacher's; its test part is the real one.

    Shape: answers (M, C) -> a dataset, and the answers (N, C) to its training rows.
    """
    dataset, task = lesson.dataset, task_of(lesson.dataset.task)
    kind = reading_of(lesson.student.arch, dataset.views.kinds)
    whole, learned = dataset.view(kind), len(rows.frame) - rows.held
    x = rows.encoded(dataset, kind)
    y = answers.argmax(axis=1) if task.has_classes else answers[:, 0] * dataset.target_std + dataset.target_mean
    y = np.asarray(y, dtype=dataset.train.y.dtype)
    seen = Viewed(whole.spec, {**whole.parts, "train": x[:learned], "validation": x[learned:]}, whole.view)
    parts = {
        "train": Part(y[:learned], np.arange(learned)),
        "validation": Part(y[learned:], np.arange(rows.held)),
        "test": dataset.test,
    }
    found = dataclasses.replace(dataset, parts={**dataset.parts, **parts}, views=Views({kind: lambda: seen}))  # type: ignore[dict-item]
    return found, answers[:learned]


@MODES.register(
    "data_free",
    title="Without data: made-up rows only",
    spec=DataFreeSpec,
    source="arXiv:1710.07535",
    needs=("several_folds",),
    about="The student sees no training row. Rows are made up from each column's type, range and histogram, texts from their words' counts "
    "and their lengths; the teacher answers them, and the epoch is chosen by agreement with the teacher on further made-up rows. Pictures "
    "can't be made up so. How cells are read (scales, pieces of words) is the data's. Real rows only judge: the test rows once, "
    "validation rows to tell seeds apart. The baseline learns from the real rows and their labels, so expect the student to lag.",
    apart=True,
    recipe=recipe,
    rows=rows,
    times=lambda spec: float(spec.rows),
)
def data_free(spec: DataFreeSpec, lesson: Lesson, way: Way) -> Met:
    """Train a student on made-up rows by the teacher's answers alone. Errors: as `train_student`."""
    assert lesson.made is not None and isinstance(lesson.made.rows, made_up.MadeUpRows)
    dataset, answers = answered(lesson, lesson.made.rows, lesson.made.logits)
    own = dataclasses.replace(lesson, dataset=dataset, answers=answers, made=None)
    agreement = "accuracy" if task_of(dataset.task).has_classes else task_of(dataset.task).primary
    told = way.beside(MADE_UP)  # its curve is not one of the run's metric
    found = taught(own, dataclasses.replace(told, metric=agreement, checkpoint=way.checkpoint))
    agreed = Helper(
        MADE_UP,
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
