"""Which students learned nothing from a teacher, so that they are their own baseline: a gain of theirs compares a training with itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# In place of a verdict, which stays in the result as it was written: of a what-if that found no teacher to be best, and of a lesson without one.
UNTAUGHT, NO_TEACHER = "untaught", "no_teacher"


def own_baseline(student: Mapping[str, Any]) -> bool:
    """Say whether a student of a result is its own baseline: its lesson gives the teacher no share, and both scored the same on every seed."""
    if student.get("alpha") != 0:
        return False
    own, alone = student["metrics"], student["baseline"]["metrics"]
    return bool(own) and all((alone.get(name) or {}).get("values") == one.get("values") for name, one in own.items())
