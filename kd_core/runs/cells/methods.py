"""Losses as an axis of a what-if: students that differ by the loss they are taught by, and share a baseline."""

from __future__ import annotations

from collections.abc import Sequence

from kd_core.specs import Choice, RunSpec, StudentSpec

MOST_NAME = 40  # of a student


def by_each(students: Sequence[StudentSpec], losses: Sequence[str]) -> tuple[StudentSpec, ...]:
    """Teach every student by each of several losses: one student for each, called 'tiny dkd'; by one loss they stay as they are."""
    asked = list(dict.fromkeys(losses))
    if len(asked) < 2:
        return tuple(students)
    each = [(one, loss, f"{one.name} {loss}"[:MOST_NAME]) for one in students for loss in asked]
    return tuple(one.model_copy(update={"name": name, "objective": loss}) for one, loss, name in each)


def apart(students: Sequence[StudentSpec]) -> tuple[tuple[StudentSpec, ...], tuple[str, ...]]:
    """Take students and losses apart again, each named once: the way back of `by_each`."""
    losses = tuple(dict.fromkeys(s.objective for s in students if s.objective))
    bare = [s.model_copy(update={"name": s.name.removesuffix(f" {s.objective}"), "objective": None}) for s in students]
    return tuple({s.name: s for s in bare}.values()), losses


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
