"""Distilling without a picture: the student sees only pictures that were made for the teacher's network, and what it says of them."""

from __future__ import annotations

import numpy as np
import torch
from pydantic import Field
from torch import nn

from kd_core.data.dataset import Array
from kd_core.data.input_spec import PIXELS, InputSpec
from kd_core.data.views import VIEWS
from kd_core.distill.beside.made_dataset import taught_by, whole_lesson
from kd_core.distill.beside.made_pictures import Wanted, remembers, stored
from kd_core.distill.inner.live import network_again
from kd_core.distill.meeting import MODES, Lesson, Met, Way
from kd_core.errors import KDError, Problem, Says
from kd_core.models.base import ARCHS
from kd_core.models.building import build
from kd_core.registry import view_title
from kd_core.seeding import derive
from kd_core.specs import RunSpec, Spec, unit
from kd_core.task import CLASSIFICATION
from kd_core.teachers.base import network_of
from kd_core.training.predict import predict

MADE = "made pictures"
HELD = 0.1  # share of the made pictures that choose the epoch
_NO_STATISTICS = Says(
    "made_pictures_teacher",
    "error",
    "Pictures can't be made for the teacher '{name}': {why}.",
    "Take a teacher that is a CNN, a ResNet or a MobileNet, or the mode 'offline'.",
)
_OTHER_VIEW = Says(
    "made_pictures_student",
    "error",
    "The student '{name}' reads {kind}, and pictures are made.",
    "Choose a student that reads pictures, or the mode 'offline'.",
)
_TOLD = Says(
    "made_pictures",
    "note",
    "{made:,} pictures are made from noise, until the teacher's network finds in them what it found while it learned, and mixed with each "
    "other to as many again; {held:,} more choose the epoch.",
    "Taught students see no picture of the data. Their baselines do.",
)


class DataFreePicturesSpec(Spec):
    """How many pictures are made, and how long each is worked on."""

    pictures: int = Field(
        2000,
        ge=100,
        le=50_000,
        description="Pictures made; as many again are mixtures of two of them.",
        json_schema_extra=unit("pictures"),
    )
    steps: int = Field(
        200,
        ge=10,
        le=5000,
        description="Steps by which noise is moved towards what the teacher remembers; 2,000 in the paper.",
        json_schema_extra=unit("steps"),
    )


def recipe(spec: DataFreePicturesSpec, run: RunSpec) -> RunSpec:
    """Give the teacher the whole lesson; it answers no training row, so one fit is enough unless others are asked for."""
    try:
        lesson = whole_lesson(run.objective)
    except KDError:  # told with everything else that can't work
        return run
    evaluation = run.evaluation.model_copy(update={"folds": run.evaluation.folds or 1})
    return run.model_copy(update={"objective": lesson, "evaluation": evaluation})


def checks(spec: DataFreePicturesSpec, run: RunSpec) -> Problem | None:
    """Find a teacher that remembers nothing of pictures, or a student that reads none; else say what is made. Errors: UnknownName, SpecError."""
    teacher = network_of(run.teacher)
    kind = ARCHS.get(teacher.name).facts["takes"][0]
    if kind != PIXELS:
        return _NO_STATISTICS.problem(name=run.teacher.name, why=f"it reads {view_title(kind)}")
    inputs: InputSpec = VIEWS.get(kind).facts["example"]
    with torch.device("meta"):
        network = build(teacher, inputs, 2)
    if len(remembers(network)) < 2:  # the pixels' own statistics say nothing of what is in a picture
        return _NO_STATISTICS.problem(name=run.teacher.name, why="no layer of it remembers what it found in the data")
    for student in run.students:
        reads = ARCHS.get(student.arch.name).facts["takes"]
        if PIXELS not in reads:
            return _OTHER_VIEW.problem(name=student.name, kind=view_title(reads[0]))
    return _TOLD.problem(made=spec.pictures, held=_held(spec))


def _held(spec: DataFreePicturesSpec) -> int:
    return max(10, round(HELD * spec.pictures))


def mixed(x_NKHW: Array, seed: int) -> Array:
    """Mix each picture with another one, by a share drawn evenly. Shape: (N, K, H, W) uint8 -> the same. Source: arXiv:1710.09412, alpha 1."""
    rng = np.random.default_rng(derive(seed, "mixed pictures"))
    other, share = rng.permutation(len(x_NKHW)), rng.random((len(x_NKHW), 1, 1, 1))
    found: Array = (share * x_NKHW + (1 - share) * x_NKHW[other]).round().astype(np.uint8)
    return found


@MODES.register(
    "data_free_pictures",
    title="Without data: pictures made for the teacher",
    spec=DataFreePicturesSpec,
    source="arXiv:1912.08795",
    tasks=CLASSIFICATION,
    takes=(PIXELS,),
    needs=("trainable_teacher", "gradient_students"),
    because={
        "trainable_teacher": "needs a teacher that is a network trained here: pictures are made by its own layers"
    },
    about="The student sees no picture of the data. Noise is moved until the layers of the teacher's network find in it the means and "
    "variances that they remember from learning, and until it is answered with a class; these pictures, and mixtures of two, are what the "
    "student learns from, by the teacher's answers to them. The epoch is chosen by agreement with the teacher on further made pictures. Real "
    "rows only judge: the test rows once, validation rows to tell seeds apart. The baseline learns from the real pictures and their "
    "labels, so expect the student to lag.",
    apart=True,
    network=True,
    unread=True,
    recipe=recipe,
    unlabelled=True,
    checks=checks,
    looks=lambda spec: (spec.pictures + _held(spec)) * spec.steps,
    drawn="made",
)
def data_free_pictures(spec: DataFreePicturesSpec, lesson: Lesson, way: Way) -> Met:
    """Train a student on made pictures by the teacher's answers alone. Errors: as `train_student`; Stopped, KDError `reuse_no_weights`."""
    assert lesson.teacher is not None
    dataset = lesson.dataset
    network: nn.Module = network_again(lesson.teacher, dataset, lesson.weights)
    shape, held = dataset.view(PIXELS).spec.shape, _held(spec)
    wanted = Wanted(spec.pictures + held, tuple(shape), dataset.num_outputs, spec.steps, derive(0, MADE))
    place = None if way.checkpoint is None else way.checkpoint.parent

    def tell(done: int) -> None:
        way.notify({"kind": "part", "phase": "students", "what": "made", "done": done, "of": wanted.count})

    x = stored(network, lesson.weights, wanted, place, way.device, way.should_stop, tell)
    order = np.random.default_rng(derive(0, "held pictures")).permutation(len(x))  # made in batches, one like the other
    own, kept = x[order[held:]], x[order[:held]]
    rows = np.concatenate([own, mixed(own, 0), kept])
    return taught_by(lesson, way, rows, predict(network, rows, way.device), held, MADE)
