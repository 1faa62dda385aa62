"""Whether a what-if can be carried out, before anything is trained."""

from __future__ import annotations

from typing import Any

from kd_core import limits
from kd_core.distill import LOSSES, loss_of
from kd_core.distill.stack.forms import STACKS
from kd_core.errors import KDError, Problem, Says
from kd_core.models import ARCHS, by_rounds
from kd_core.registry import Entry
from kd_core.runs.cells import grid
from kd_core.specs import RunSpec

_NO_TEMPERATURE = Says(
    "no_temperature",
    "error",
    "The loss '{loss}' has no temperature.",
    "Leave the temperatures out, or choose another loss.",
)
_NO_ALPHA = Says("no_alpha", "error", "The loss '{loss}' has no alpha.", "Leave alpha out, or choose another loss.")
_NO_DROPOUT = Says(
    "no_dropout",
    "error",
    "The architecture '{arch}' of student '{student}' has no dropout.",
    "Leave dropout out, or choose another architecture.",
)
_NO_STEPS = Says(
    "no_steps",
    "error",
    "The architecture '{arch}' of student '{student}' learns by a procedure of its own: it has no step size and no weight decay.",
    "Leave learning rates and weight decays out, or choose another architecture.",
)
_CANNOT_FUSE = Says(
    "cannot_fuse",
    "error",
    "The architecture '{arch}' of student '{student}' can't be trained in a stack (known: {known}).",
    "Choose the mode 'auto' or 'sequential'.",
)
_TOO_MANY_TRAININGS = Says(
    "too_many_trainings",
    "error",
    "The grid asks for {trainings:,} trainings, at most {most:,} are allowed.",
    "Take fewer values, students or seeds.",
)


def check(spec: RunSpec, answered: bool = True) -> list[Problem]:
    """Find what keeps a grid from being trained; `answered` says that its parts are known and fit the task."""
    assert spec.sweep is not None
    found: list[Problem] = []
    sweep, loss = spec.sweep, spec.objective.name
    if answered or loss in LOSSES.names():
        fields = loss_of(spec.objective).spec.model_fields
        if sweep.temperature and "temperature" not in fields:
            found.append(_NO_TEMPERATURE.problem(loss=loss))
        if sweep.alpha and "alpha" not in fields:
            found.append(_NO_ALPHA.problem(loss=loss))
    for student in spec.students:
        arch = student.arch.name
        if sweep.dropout and arch in ARCHS.names() and "dropout" not in ARCHS.get(arch).spec.model_fields:
            found.append(_NO_DROPOUT.problem(arch=arch, student=student.name))
        if (sweep.learning_rate or sweep.weight_decay) and by_rounds(arch):
            found.append(_NO_STEPS.problem(arch=arch, student=student.name))
        if sweep.mode == "fused" and arch in ARCHS.names() and arch not in STACKS.names():
            found.append(_CANNOT_FUSE.problem(arch=arch, student=student.name, known=", ".join(STACKS.names())))
    if not answered:
        return found
    asked = grid.count(spec)
    if asked.trainings > limits.SWEEP_TRAININGS:
        found.append(_TOO_MANY_TRAININGS.problem(trainings=asked.trainings, most=limits.SWEEP_TRAININGS))
        return found
    cells = grid.cells(spec)
    lessons = [grid.objective_of(spec, c) for c in {(c.student, c.temperature, c.alpha): c for c in cells}.values()]
    archs = [grid.student_of(spec, c).arch for c in {(c.student, c.dropout): c for c in cells}.values()]
    for taught, where, choices in ((True, "the loss", lessons), (False, "the architecture", archs)):
        said: set[str] = set()
        for choice in choices:
            try:
                entry: Entry[Any] = loss_of(choice) if taught else ARCHS.get(choice.name)
                entry.spec.parse(choice.settings, where)
            except KDError as error:
                if error.message not in said:
                    found.append(error.problem())
                said.add(error.message)
    return found
