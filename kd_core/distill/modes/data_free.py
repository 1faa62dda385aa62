"""Distilling without a training row: the student sees made-up rows only, and what the teacher says of them."""

from __future__ import annotations

from pydantic import Field

from kd_core.data.dataset import Array, Dataset
from kd_core.distill.beside import made_up
from kd_core.distill.beside.made_dataset import made_dataset, taught_by, whole_lesson
from kd_core.distill.meeting import MODES, Lesson, Met, Way
from kd_core.errors import KDError
from kd_core.models.building import SHORT_FORM, reading_of
from kd_core.specs import RunSpec, Spec, unit
from kd_core.task import IN_FULL

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
        lesson = whole_lesson(run.objective)
    except KDError:  # told with everything else that can't work
        return run
    training = run.training.model_copy(update={"made_rows": 1})
    return run.model_copy(update={"objective": lesson, "training": training})


def rows(spec: DataFreeSpec, dataset: Dataset, folds: int, seed: int) -> made_up.MadeUpRows:
    """Make up the rows that the teacher is asked about. Errors: as `made_up.make`."""
    return made_up.make(dataset, folds, seed, spec.rows * len(dataset.train), len(dataset.validation))


def answered(lesson: Lesson, rows: made_up.MadeUpRows, answers: Array) -> tuple[Dataset, Array]:
    """Make a dataset of made-up rows whose labels are the teacher's; its test part is the real one.

    Shape: answers (M, C) -> a dataset, and the answers (N, C) to its training rows.
    """
    return made_dataset(lesson, _encoded(lesson, rows), answers, rows.held)


def _encoded(lesson: Lesson, rows: made_up.MadeUpRows) -> Array:
    return rows.encoded(lesson.dataset, reading_of(lesson.student.arch, lesson.dataset.views.kinds))


@MODES.register(
    "data_free",
    title="Without data: made-up rows only",
    tasks=IN_FULL,
    because={"task": SHORT_FORM},
    spec=DataFreeSpec,
    source="arXiv:1710.07535",
    needs=("several_folds",),
    about="The student sees no training row. Rows are made up from each column's type, range and histogram, texts from their words' counts "
    "and their lengths; the teacher answers them, and the epoch is chosen by agreement with the teacher on further made-up rows. Pictures "
    "are made by another mode. How cells are read (scales, pieces of words) is the data's. Real rows only judge: the test rows once, "
    "validation rows to tell seeds apart. The baseline learns from the real rows and their labels, so expect the student to lag.",
    apart=True,
    recipe=recipe,
    unlabelled=True,
    rows=rows,
    times=lambda spec: float(spec.rows),
    drawn="made",
)
def data_free(spec: DataFreeSpec, lesson: Lesson, way: Way) -> Met:
    """Train a student on made-up rows by the teacher's answers alone. Errors: as `train_student`."""
    assert lesson.made is not None
    made = lesson.made
    assert isinstance(made.rows, made_up.MadeUpRows)
    return taught_by(lesson, way, _encoded(lesson, made.rows), made.logits, made.rows.held, MADE_UP)
