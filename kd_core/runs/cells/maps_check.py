"""Whether what is kept of where a teacher looks fits in memory: told before the teacher is asked."""

from __future__ import annotations

from kd_core.distill.terms import hears_maps
from kd_core.errors import Problem, Says
from kd_core.machine.memory import free_bytes
from kd_core.specs import RunSpec
from kd_core.training.attention import ROW_BYTES

MUCH = 2**28  # bytes: from here on it is worth a warning
SHARE = 0.5  # of what is free: training needs the rest
_TOO_MUCH = Says(
    "maps_memory",
    "error",
    "Where the teacher looks in {training:,} training pictures takes up to {need:,} MB of memory, and {free:,} MB are free.",
    "Take fewer rows, or a loss that does not compare attention.",
)
_SAID = (
    "Where the teacher looks in {training:,} training pictures is kept: up to {need:,} MB of memory and of the disk."
)
_KEPT, _MUCH = Says("maps_kept", "note", _SAID), Says("maps_kept", "warning", _SAID, "Fewer rows take less.")


def check(spec: RunSpec, train_rows: int) -> list[Problem]:
    """Say how much memory a lesson of attention takes, or that there is too little. Errors: UnknownName, SpecError."""
    if not hears_maps(spec.objective):
        return []
    need, free = train_rows * ROW_BYTES, free_bytes()
    says = _TOO_MUCH if need > SHARE * free else _MUCH if need > MUCH else _KEPT
    return [says.problem(training=train_rows, need=-(-need // 2**20), free=free // 2**20)]
