"""Losses as an axis of a what-if: students that differ by the loss they are taught by, and share a baseline."""

from __future__ import annotations

from kd_core.specs import Choice, RunSpec, StudentSpec


def lesson_of(spec: RunSpec, student: StudentSpec) -> Choice:
    """Return the loss that a student is taught by: the run's, or one of its own."""
    if student.objective is None or student.objective == spec.objective.name:
        return spec.objective
    return Choice(name=student.objective)


def first_alike(spec: RunSpec, student: int) -> int:
    """Return the first student of the same architecture, which has the same baseline: others differ from it by their loss."""
    own = spec.students[student].arch
    return next(i for i, other in enumerate(spec.students) if other.arch == own and (other.objective or i == student))


def told_alike(spec: RunSpec, student: int) -> dict[str, str]:
    """Name the student whose baseline another one shares, for the plan of a what-if; nothing where it has its own."""
    first = first_alike(spec, student)
    return {} if first == student else {"alone": spec.students[first].name}
