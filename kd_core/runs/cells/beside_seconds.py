"""What a teacher's network does while students learn, before anything is trained: it answers their batches, or has pictures made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kd_core.data.input_spec import InputSpec
from kd_core.distill import MODES, hears_network
from kd_core.distill.terms import hears_live
from kd_core.models.sizes import sizes
from kd_core.runs.cells import modes
from kd_core.specs import RunSpec
from kd_core.teachers import SOURCES
from kd_core.teachers.base import network_of, teacher_view
from kd_core.training.plan import resolve


def operations(
    spec: RunSpec, train_rows: int, inputs: Mapping[str, InputSpec], num_outputs: int, counts: Sequence[int]
) -> tuple[float, float]:
    """Count the floating-point operations of all epochs asked for, and those of rows that are made before students learn from them.

    `counts`: trainings of each student, its baselines among them.

    Errors: UnknownName, SpecError.
    """
    if not hears_network(spec) or "arch" not in SOURCES.get(spec.teacher.name).facts:
        return 0.0, 0.0
    kind = teacher_view(spec.teacher, inputs)
    assert kind is not None
    rows = 0.0
    if hears_live(spec.objective):
        for student, count in zip(spec.students, counts, strict=True):
            taught = max(0, count - spec.training.seeds_at_first)
            rows += taught * resolve(spec.training, train_rows, student.arch.name).epochs * train_rows
    looks = MODES.get(spec.mode.name).facts.get("looks")
    made = 0.0 if looks is None else 3.0 * looks(modes.settings(spec))  # there and back
    row = sizes(network_of(spec.teacher), inputs[kind], num_outputs).flops
    return rows * row, made * row
