"""Under which names a run keeps the models beside its students: those that learned without a teacher."""

from __future__ import annotations


def taken_as(plain: str) -> str:
    """Name the file of a plain model. Example: `plain trees_30x15`."""
    return f"plain {plain}"


def alone_as(student: str) -> str:
    """Name the file of a student as it learned without its teacher, kept where the teacher hurt it. Example: `alone small`."""
    return f"alone {student}"
