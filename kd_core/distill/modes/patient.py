"""A patient teacher: the student learns to answer as the teacher does, on many rows, and never looks at a label."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kd_core.distill.base import LOSSES
from kd_core.distill.beside.mixed import LINEAR
from kd_core.distill.meeting import MODES, Lesson, Met, Way, taught
from kd_core.distill.terms import parts_of
from kd_core.errors import KDError
from kd_core.models.building import SHORT_FORM
from kd_core.specs import Choice, RunSpec, Spec, unit
from kd_core.task import IN_FULL
from kd_core.teachers.made_rows import NEIGHBOURS, Making

PLAIN = "hinton"  # the loss of class probabilities as they are, at temperature 1


class PatientSpec(Spec):
    """How many rows beside the training rows the teacher is asked about, and how they are mixed."""

    later = ("mix",)

    made_rows: int = Field(
        2,
        ge=0,
        le=4,
        description="Rows mixed of two training rows, which the teacher answers too, as many times the training rows; 0 for texts, which "
        "can't be mixed.",
        json_schema_extra=unit("times the training rows"),
    )
    mix: Literal["neighbours", "linear"] = Field(
        "neighbours",
        description="neighbours: each column from a row or a near one, of tables only. linear: as the paper does, numbers and pixels on the "
        "line between any two rows of a fold, a category from one of the two; for pictures as well.",
        json_schema_extra=unit("name"),
    )


def recipe(spec: PatientSpec, run: RunSpec) -> RunSpec:
    """Give the teacher the whole lesson, and mix rows. Of classes the lesson is KL at T = 1, of numbers the run's own distance."""
    try:
        first = parts_of(run.objective)[0]
        tasks = LOSSES.get(first.name).tasks
        classes = bool(tasks) and set(tasks) <= set(LOSSES.get(PLAIN).tasks)  # what is for numbers too stays
    except KDError:  # told with everything else that can't work
        return run
    settings = {"alpha": 1.0, "temperature": 1.0} if classes else {**first.settings, "alpha": 1.0}
    lesson = Choice(name=PLAIN if classes else first.name, settings=settings)
    made = max(spec.made_rows, run.training.made_rows)
    training = run.training.model_copy(update={"made_rows": made})
    return run.model_copy(update={"objective": lesson, "training": training})


def making(spec: PatientSpec) -> Making:
    """Say how the rows are mixed."""
    return LINEAR if spec.mix == "linear" else NEIGHBOURS


@MODES.register(
    "patient",
    title="Patient: only the teacher's answers, on more rows",
    tasks=IN_FULL,
    because={"task": SHORT_FORM},
    spec=PatientSpec,
    source="arXiv:2106.05237",
    about="The student learns only to give the teacher's answers (KL at T = 1, no labels), on the training rows and on rows mixed of two "
    "of them, which the teacher answers as well. It pays with many epochs: set them, or leave them to the app, which goes on while the "
    "validation score gains. The baseline gets as many.",
    recipe=recipe,
    unlabelled=True,
    making=making,
)
def patient(spec: PatientSpec, lesson: Lesson, way: Way) -> Met:
    """Train a student on stored answers. Errors: as `train_student`."""
    return Met(taught(lesson, way))
