"""Soft labels only: no label is heard; of several teachers, beside students that hear one of them alone."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from kd_core.distill.base import LOSSES
from kd_core.distill.meeting import MODES, Helper, Lesson, Met, Way, taught
from kd_core.models.building import SHORT_FORM
from kd_core.models.sizes import sizes_for
from kd_core.specs import SEVERAL, Choice, RunSpec, Spec, unit
from kd_core.task import IN_FULL


class SoftLabelsOnlySpec(Spec):
    """What stands beside the student."""

    singles: bool = Field(
        True,
        description="Where there are several teachers: teach one more student by each of them alone, to say whether hearing all pays. Each takes "
        "as long as the student itself.",
        json_schema_extra=unit("yes/no"),
    )


def recipe(spec: SoftLabelsOnlySpec, run: RunSpec) -> RunSpec:
    """Give the teacher the whole lesson; a loss that nobody knows stays, and is told of with everything else that can't work."""
    name, settings = run.objective.name, run.objective.settings
    if name == SEVERAL:
        whole = {**settings, "hard": 0.0}
    elif name in LOSSES.names() and "alpha" in LOSSES.get(name).spec.model_fields:
        whole = {**settings, "alpha": 1.0}
    else:
        return run
    return run.model_copy(update={"objective": Choice(name=name, settings=whole)})


@MODES.register(
    "soft_labels_only",
    title="Soft labels only: labels are not heard",
    tasks=IN_FULL,
    because={"task": SHORT_FORM},
    spec=SoftLabelsOnlySpec,
    source="arXiv:1503.02531",
    about="The student learns from the teacher's answers alone; labels, where there are any, only judge. So a teacher can teach whose owner "
    "hands out nothing but answers. Of several teachers the student hears all together; beside it one student for each teacher says whether that pays.",
    recipe=recipe,
    unlabelled=True,
    apart=True,
    members=True,
)
def soft_labels_only(spec: SoftLabelsOnlySpec, lesson: Lesson, way: Way) -> Met:
    """Train a student on stored answers, and for comparison one on each member's, from the same start and batches. Errors: as `train_student`."""
    helpers = []
    parameters = sizes_for(lesson.dataset, lesson.student.arch).parameters
    for name, answers in lesson.members.items() if spec.singles else ():
        found = taught(replace(lesson, answers=answers), way.beside(f"taught by {name}")).trained
        helpers.append(Helper(f"taught by {name}", found.score_selected, found.seconds, parameters))
    return Met(taught(lesson, way), tuple(helpers))
