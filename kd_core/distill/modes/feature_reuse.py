"""Feature reuse: a student starts with the last layer of its teacher, and with the layers before it where they fit."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from torch import nn

from kd_core.distill.beside import reused
from kd_core.distill.inner.live import network_again
from kd_core.distill.meeting import MODES, Lesson, Met, Way, taught
from kd_core.errors import Problem, Says
from kd_core.models.base import ARCHS
from kd_core.models.building import SHORT_FORM
from kd_core.specs import RunSpec, Spec, unit
from kd_core.task import IN_FULL
from kd_core.teachers.base import network_of

_OTHER = Says(
    "reuse_other",
    "error",
    "The student '{student}' is {arch} and the teacher {other}: a layer can be taken over by a network of the same architecture only.",
    "Choose a student of the architecture {other}, or the mode 'offline'.",
)
_NO_HEAD = Says(
    "reuse_no_head",
    "error",
    "{arch} has no last layer that one network can take over from another.",
    "Choose another architecture for teacher and students, or the mode 'offline'.",
)
_WIDER = Says(
    "reuse_wider",
    "error",
    "The student '{student}' has {width} numbers before its last layer and the teacher {teacher_width}: a student takes over as many or fewer.",
    "Choose a smaller student, a larger teacher, or the mode 'offline'.",
)
_TAKEN = Says(
    "reuse_taken",
    "note",
    "Students start from layers of the teacher that answers validation and test rows: {said}.",
    "Training changes them like all others. The baseline starts from scratch.",
)


class FeatureReuseSpec(Spec):
    """Which of the teacher's layers students start from."""

    blocks: Literal["first", "every"] = Field(
        "first",
        description="Of networks of equal blocks and one width, as transformers: 'first' takes as many as the student has from the first on, 'every' takes them evenly spread, as DistilBERT does: every second one for half as many.",
        json_schema_extra=unit("name"),
    )


def checks(spec: FeatureReuseSpec, run: RunSpec) -> Problem | None:
    """Find the student that can't start from the teacher, else say what each takes over. Errors: UnknownName, SpecError."""
    teacher, said = network_of(run.teacher), []
    for student in run.students:
        title = {name: ARCHS.get(name).title for name in (student.arch.name, teacher.name)}
        if student.arch.name != teacher.name:
            arch, other = title.values()
            return _OTHER.problem(student=student.name, arch=arch, other=other)
        found = reused.foresee(student.arch, teacher, spread=spec.blocks == "every")
        if found is None or not (found.layers or found.width > found.teacher_width):
            return _NO_HEAD.problem(arch=title[teacher.name])
        if found.width > found.teacher_width:
            return _WIDER.problem(student=student.name, width=found.width, teacher_width=found.teacher_width)
        said.append(
            f"{student.name} takes {len(found.layers)} of its {found.all_layers}, with {found.width} of the {found.teacher_width} numbers "
            f"before the last{_of_blocks(found)}"
        )
    return _TAKEN.problem(said="; ".join(said))


def _of_blocks(found: reused.Taken) -> str:
    numbers = ", ".join(map(str, found.blocks))
    return f" (its blocks are number {numbers} of the teacher's {found.teacher_blocks})" if found.blocks else ""


def teacher_network(lesson: Lesson) -> nn.Module:
    """Make the teacher's network again of its weights. Errors: KDError `reuse_no_weights` where it handed on none."""
    assert lesson.teacher is not None
    return network_again(lesson.teacher, lesson.dataset, lesson.weights)


@MODES.register(
    "feature_reuse",
    title="Feature reuse: it starts from the teacher's layers",
    tasks=IN_FULL,
    spec=FeatureReuseSpec,
    source="arXiv:2203.14001",
    needs=("trainable_teacher", "gradient_students"),
    because={
        "task": SHORT_FORM,
        "trainable_teacher": "needs a teacher that is one network trained here: students start from its layers",
    },
    about="The student's last layer starts as the teacher's, and so do the layers before it where one plain layer follows another. A "
    "narrower student takes the units that the next layer listens to most. Then it learns from stored answers by the run's method, as "
    "usual, losses that look inside the teacher among them; the baseline starts from scratch. Teacher and students must be of one "
    "architecture. A transformer of the teacher's width takes the embeddings and as many blocks as it has.",
    apart=True,
    network=True,
    inside=True,
    checks=checks,
    drawn="layers",
)
def feature_reuse(spec: FeatureReuseSpec, lesson: Lesson, way: Way) -> Met:
    """Train a student on stored answers, from layers of the teacher. Errors: as `train_student`; KDError `reuse_no_weights`."""
    teacher = teacher_network(lesson)
    return Met(taught(lesson, way, start=lambda module: _start(module, teacher, spec)))


def _start(module: nn.Module, teacher: nn.Module, spec: FeatureReuseSpec) -> None:
    reused.take_over(module, teacher, spread=spec.blocks == "every")
