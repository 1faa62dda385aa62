"""Whether what is kept of where a teacher looks fits in memory, and fits what its students see: told before the teacher is asked."""

from __future__ import annotations

from kd_core.distill.terms import hears_live, hears_maps
from kd_core.errors import Problem, Says
from kd_core.machine.memory import free_bytes
from kd_core.models.base import ARCHS
from kd_core.specs import Choice, RunSpec
from kd_core.training.attention import ROW_BYTES

MUCH = 2**28  # bytes: from here on it is worth a warning
SHARE = 0.5  # of what is free: training needs the rest
_TOO_MUCH = Says(
    "maps_memory",
    "error",
    "Where the teacher looks in {training:,} training pictures takes up to {need:,} MB of memory, and {free:,} MB are free.",
    "Take fewer rows, or a loss that does not compare attention.",
)
_VARIED = Says(
    "maps_varied",
    "error",
    "The student '{name}' learns from pictures that are moved or mirrored, and the teacher looks at the pictures as they are.",
    "Set moved to 0 and mirrored to false, or choose a loss that does not compare places in a picture.",
)
_SAID = (
    "Where the teacher looks in {training:,} training pictures is kept: up to {need:,} MB of memory and of the disk."
)
_KEPT, _MUCH = Says("maps_kept", "note", _SAID), Says("maps_kept", "warning", _SAID, "Fewer rows take less.")


def check(spec: RunSpec, train_rows: int) -> list[Problem]:
    """Say how much memory a lesson of attention takes, or that there is too little, or that a student sees other pictures.

    Errors: UnknownName, SpecError.
    """
    varied = [_VARIED.problem(name=student.name) for student in spec.students if _varies(student.arch)]
    if hears_live(spec.objective) and not hears_maps(spec.objective):
        return varied
    if not hears_maps(spec.objective):
        return []
    need, free = train_rows * ROW_BYTES, free_bytes()
    says = _TOO_MUCH if need > SHARE * free else _MUCH if need > MUCH else _KEPT
    return [says.problem(training=train_rows, need=-(-need // 2**20), free=free // 2**20), *varied]


def _varies(arch: Choice) -> bool:
    settings = ARCHS.get(arch.name).spec.parse(arch.settings, f"architecture {arch.name}")
    return bool(getattr(settings, "moved", 0) or getattr(settings, "mirrored", False))
