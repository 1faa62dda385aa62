"""What each part of a lesson would do to a student that has learned nothing yet, before anything is trained."""

from __future__ import annotations

import numpy as np
import torch

from kd_core.data.dataset import Array
from kd_core.distill import objective, shares
from kd_core.distill.terms import SeveralSpec, hears_inside, parts_of
from kd_core.models.base import Outputs
from kd_core.models.building import start_weights
from kd_core.seeding import derive
from kd_core.specs import SEVERAL, Choice

MOST_ROWS = 256  # as many as a large batch has; a share is a mean over rows
FRESH = 0.1  # spread of the logits of a network with start weights


def unforeseen(lesson: Choice) -> tuple[str, ...]:
    """Name the losses of a lesson that look inside teacher or student: what they do shows only in training. Errors: UnknownName, SpecError."""
    return tuple(one.name for one in parts_of(lesson) if hears_inside(one))


def foresee(task: str, lesson: Choice, labels: Array, teacher_logits: Array) -> shares.Shares:
    """Compare how strongly labels and losses pull at answers that are nearly alike, with the weights as they are set.

    Schedules are left out, and so are losses that look inside; nothing is found where none are left.
    Shape: labels (N,) classes, teacher_logits (N, C). Errors: UnknownName; SpecError for a lesson that does not fit the task.
    """
    seen = _seen(lesson)
    if seen is None:
        return {}
    rows = np.unique(np.linspace(0, len(labels) - 1, min(len(labels), MOST_ROWS)).astype(int))
    told = np.asarray(teacher_logits[rows], np.float32)
    made = objective.make(task, seen, np.asarray(labels)[rows], told)
    fresh = np.random.default_rng(0).normal(0.0, FRESH, told.shape).astype(np.float32)
    outputs = Outputs(torch.from_numpy(fresh).requires_grad_())
    if made.soft is not None and "module" in made.soft.facts:
        with start_weights(derive(0, "loss")):
            made.module = made.soft.facts["module"](made.spec, outputs, Outputs(torch.from_numpy(told)))
    made.begin(1, 1)
    return made(outputs, torch.arange(len(rows))).shares or {}


def _seen(lesson: Choice) -> Choice | None:
    """Return a lesson of the losses that compare answers alone, each with its weight as it is set; None without any."""
    if lesson.name != SEVERAL:
        return None if hears_inside(lesson) else lesson
    held = SeveralSpec.parse(lesson.settings, "the objective")
    terms = [
        {"name": one.name, "weight": one.weight, "settings": one.settings}
        for one in held.terms
        if not hears_inside(one.choice)
    ]
    return Choice(name=SEVERAL, settings={"hard": held.hard, "terms": terms}) if terms else None
