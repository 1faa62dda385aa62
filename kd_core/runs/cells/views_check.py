"""Whether students read less of a row than their teacher does: told before, since it needs no mode of its own."""

from __future__ import annotations

from collections.abc import Iterable

from kd_core.data.input_spec import TOGETHER
from kd_core.errors import Problem, Says
from kd_core.models.building import view_of
from kd_core.specs import RunSpec
from kd_core.teachers.base import teacher_view

_ACROSS = Says(
    "across_views",
    "note",
    "The teacher reads all columns together; the student '{name}' reads each row as {kind} alone, and so does its baseline.",
    "The comparison with the teacher tells what the student lacks: what it can't read and its size, together.",
)


def check(spec: RunSpec, views: Iterable[str]) -> list[Problem]:
    """Say which students read one way of those that the teacher reads together. Errors: UnknownName, SpecError `other_view`."""
    offered = tuple(views)
    if teacher_view(spec.teacher, offered) != TOGETHER:
        return []
    kinds = {student.name: view_of(student.arch, offered) for student in spec.students}
    return [_ACROSS.problem(name=name, kind=kind) for name, kind in kinds.items() if kind != TOGETHER]
