"""The average of other teachers, each with its defaults: kept so that older recipes run; `ensemble` is what is offered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from kd_core.data.dataset import SPLITS, Array, Dataset
from kd_core.errors import SpecError
from kd_core.models.building import SHORT_FORM
from kd_core.specs import Choice, Spec, unit
from kd_core.task import IN_FULL, IN_PARTS, SOME_CLASSES, task_of
from kd_core.teachers.base import SOURCES, Answered, Ask, TeacherAnswers
from kd_core.teachers.estimator import stop_if_asked
from kd_core.teachers.given import logits_of
from kd_core.teachers.together.combining import combined


class AverageSpec(Spec):
    """Who is averaged."""

    teachers: tuple[str, ...] = Field(
        (),
        max_length=8,
        description="Teachers whose answers are averaged, two or more; each has its default settings.",
        json_schema_extra=unit("names", teachers=True),
    )


def _missing(spec: AverageSpec) -> SpecError | None:
    if len(set(spec.teachers)) == len(spec.teachers) > 1:
        return None
    return SpecError(
        "An average needs 2 different teachers or more; named are: {named}.",
        "Name them (teachers), for example gradient_boosting and mlp.",
        "too_few_teachers",
        named=", ".join(spec.teachers) or "none",
    )


@SOURCES.register(
    "average",
    title="Average of teachers",
    spec=AverageSpec,
    tasks=IN_FULL,
    because={"task": SHORT_FORM},
    takes=(),
    gives=frozenset({"logits"}),
    family="ensemble",
    instead="ensemble",
    missing=_missing,
    members=lambda spec: tuple(Choice(name=name) for name in spec.teachers),
)
def answer(spec: AverageSpec, ask: Ask) -> Answered:
    """Average what the teachers answer; a row is not known where one of them does not know it. Errors: SpecError, Stopped."""
    stop_if_asked(ask.should_stop)
    if error := _missing(spec):
        raise error
    assert ask.answers is not None
    return averaged([ask.answers(Choice(name=name)) for name in spec.teachers], ask.dataset)


def averaged(found: Sequence[TeacherAnswers], data: Dataset) -> Answered:
    """Average answers to the same rows: the mean of probabilities, or of numbers."""

    def mean(logits: list[Array]) -> Array:
        task = task_of(data.task)
        told = [task.table(np.asarray(z, np.float64), data.target_mean, data.target_std) for z in logits]
        if IN_PARTS(task):
            together = np.stack(told)
            return combined(together, np.ones(together.shape[:2]), data)
        return logits_of(np.mean(told, axis=0), data, "probabilities" if SOME_CLASSES(task) else "auto")[0]

    sizes = [(one.num_parameters, one.size_bytes) for one in found]
    parameters, size = (None if None in column else sum(column) for column in zip(*sizes, strict=True))
    return Answered(
        {split: mean([one.logits[split] for one in found]) for split in SPLITS},
        parameters,
        size,
        {"onnxruntime": {"reason": "an average asks every one of its teachers in turn"}},
        sum(one.fit_seconds for one in found),
        max(one.folds for one in found),
        {"teachers": [one.name for one in found]},
        tuple({note["code"] + note["message"]: note for one in found for note in one.notes}.values()),
        made=mean(made) if len(made := [one.made for one in found if one.made is not None]) == len(found) else None,
    )
