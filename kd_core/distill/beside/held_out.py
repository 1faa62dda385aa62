"""What a student says of the training rows: those it learned from, or rows it never saw, fold by fold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kd_core.data.dataset import Array, Dataset
from kd_core.data.view import Viewed, Views
from kd_core.distill.meeting import Lesson, Way, taught
from kd_core.distill.student import TrainedStudent
from kd_core.errors import Stopped
from kd_core.models.building import reading_of, viewed
from kd_core.specs import Choice
from kd_core.teachers.crossfit import folds as deal_folds
from kd_core.training.predict import predict


def answers_of(
    found: TrainedStudent, lesson: Lesson, way: Way, folds: int, *, alone: bool = False
) -> tuple[Array, float]:
    """Return a trained student's answers to the training rows, and the seconds of what was trained for them.

    With 1 fold it answers the rows that it learned from; with more, one like it answers each fold and learns from the others, so that
    the answers of a fold are those of a network that never saw its rows. `alone`: they learn from labels alone.
    Shape: (N, C) float32. Errors: as `train_student`; Stopped where one of them was stopped.
    """
    dataset, arch = lesson.dataset, lesson.student.arch
    if found.trained.stopped:
        raise Stopped
    if folds == 1:
        return predict(found.module, viewed(dataset, arch).parts["train"], way.device), 0.0
    train, seconds = dataset.train, 0.0
    fold_N = deal_folds(train.y, train.groups, folds, way.seed)
    answers = np.empty((len(train), dataset.width), dtype=np.float32)
    for k in range(folds):
        held_N = fold_N == k
        rest, x_held = without(dataset, arch, held_N)
        own = replace(lesson, dataset=rest, answers=lesson.answers[~held_N], made=None)
        place = None if way.checkpoint is None else way.checkpoint.with_suffix(f"{way.checkpoint.suffix}-fold-{k}")
        one = taught(own, replace(way, checkpoint=place, notify=lambda event: None), alone=alone)
        if one.trained.stopped:
            raise Stopped
        seconds += one.trained.seconds
        answers[held_N] = predict(one.module, x_held, way.device)
    return answers, seconds


def without(dataset: Dataset, arch: Choice, held_N: Array) -> tuple[Dataset, Array]:
    """Take rows out of the training part, as an architecture reads it; return the rest and the encoded rows taken out.

    Shape: held (N,) bool -> a dataset of N - H training rows whose encoding never saw a held-out target, and (H, ...) rows.
    """
    kind = reading_of(arch, dataset.views.kinds)
    whole = dataset.view(kind)
    x, x_validation, x_held = dataset.without(kind, held_N)
    parts = {**whole.parts, "train": x, "validation": x_validation}
    read = Viewed(replace(whole.spec, shape=tuple(x.shape[1:])), parts, whole.view)
    train = dataset.train
    kept = replace(
        train,
        y=train.y[~held_N],
        row_ids=train.row_ids[~held_N],
        groups=None if train.groups is None else train.groups[~held_N],
    )
    rest = replace(dataset, parts={**dataset.parts, "train": kept}, views=Views({kind: lambda: read}))
    return rest, x_held
