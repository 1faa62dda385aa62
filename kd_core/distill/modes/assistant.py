"""A teacher assistant: a network of in-between size learns from the teacher, and the students learn from it."""

from __future__ import annotations

import math
from dataclasses import replace

from pydantic import Field

from kd_core.distill.beside.held_out import answers_of
from kd_core.distill.meeting import MODES, Lesson, Link, Met, Way, taught
from kd_core.errors import Problem, Says, SpecError, Stopped
from kd_core.models.base import ARCHS, SizeName
from kd_core.models.sizes import sizes_for
from kd_core.seeding import derive
from kd_core.specs import Choice, RunSpec, Spec, StudentSpec, unit

_NO_SIZES = Says(
    "assistant_sizes",
    "error",
    "The architecture '{arch}' has no sizes to choose an assistant from.",
    "Name another architecture for the assistant, for example mlp.",
)


class AssistantSpec(Spec):
    """Who the assistant is."""

    size: SizeName | None = Field(
        None,
        description="Size by name; when empty the one whose number of weights lies nearest to the middle between the largest student and "
        "the teacher, counted in times.",
        json_schema_extra=unit("name"),
    )
    network: str | None = Field(
        None,
        description="Architecture; that of the largest student when empty.",
        json_schema_extra=unit("name", archs="student", advanced=True),
    )


def checks(spec: AssistantSpec, run: RunSpec) -> Problem | None:
    """Find why there can be no assistant in a run. Errors: UnknownName."""
    names = [spec.network] if spec.network else [student.arch.name for student in run.students]
    bare = [name for name in names if not ARCHS.get(name).facts["presets"]]
    return _NO_SIZES.problem(arch=bare[0]) if bare else None


def assistant_of(spec: AssistantSpec, lesson: Lesson, teacher_parameters: int | None) -> StudentSpec:
    """Choose the assistant beside the largest student. Errors: SpecError `assistant_size` where no size lies above the student's."""
    own, student = lesson.student.arch, sizes_for(lesson.dataset, lesson.student.arch).parameters
    name = spec.network or own.name
    held = {k: v for k, v in own.settings.items() if k not in ("size", "width", "depth")} if name == own.name else {}
    offered = {
        size: Choice(name=name, settings={**held, "size": size})
        for size in ARCHS.get(name).facts["presets"]
        if spec.size in (None, size)
    }
    weights = {size: sizes_for(lesson.dataset, arch).parameters for size, arch in offered.items()}
    larger = {size: count for size, count in weights.items() if count > student}
    if not larger:
        raise SpecError(
            "No assistant is larger than the student '{student}' ({parameters:,} weights): {offered}.",
            "Choose a smaller student, or a larger size or another architecture for the assistant.",
            "assistant_size",
            student=lesson.student.name,
            parameters=student,
            offered=", ".join(f"{name} {size} has {count:,}" for size, count in weights.items()) or "none is known",
        )
    middle = math.sqrt(student * max(teacher_parameters or 0, student))  # of an unknown teacher: the next size
    chosen = min(larger, key=lambda size: abs(math.log(larger[size] / middle)))
    return StudentSpec(name=f"assistant {name} {chosen}"[:40], arch=offered[chosen])


def chain(spec: AssistantSpec, lesson: Lesson, way: Way, folds: int, teacher_parameters: int | None) -> Link:
    """Train the assistant on the teacher's answers and let it answer the training rows, out of fold with 2 folds or more.

    `lesson.student`: the largest student. The assistant of a fold learned from other rows alone; what the teacher said of those came from
    teachers that may have seen the fold, as in every stack. Errors: as `train_student`; Stopped; SpecError `assistant_size`.
    """
    who = assistant_of(spec, lesson, teacher_parameters)
    own = replace(lesson, student=who)
    named = way.beside("assistant", derive(way.seed, "assistant"))
    found = taught(own, named)
    if found.trained.stopped:
        raise Stopped
    # the folds of the teacher: a row is held out from both at once
    answers, more = answers_of(found, own, replace(named, seed=way.seed), folds)
    return Link(who, answers, found, found.trained.seconds + more, folds)


@MODES.register(
    "assistant",
    title="Assistant: teacher, assistant, student",
    spec=AssistantSpec,
    source="arXiv:1902.03393",
    about="A network of in-between size learns from the teacher first, and the students learn from it by the same method: for a teacher "
    "that is far larger than its students. Rows are answered by an assistant that never saw them, wherever the teacher's are. It is "
    "trained once for all students and seeds.",
    chain=chain,
    checks=checks,
    drawn="assistant",
)
def assistant(spec: AssistantSpec, lesson: Lesson, way: Way) -> Met:
    """Train a student on the assistant's stored answers. Errors: as `train_student`."""
    return Met(taught(lesson, way))
