"""Which steps can be carried out on a kept student, and why the others can't: asked before a chain is built."""

from __future__ import annotations

from typing import Any

from kd_core.compress.base import Stage
from kd_core.compress.steps import STEPS
from kd_core.models import by_rounds
from kd_core.registry import Entry
from kd_core.specs import Choice
from kd_core.teachers import kept_models


def offered(run: str, student: str) -> list[tuple[Entry[Any], str | None]]:
    """Pair every step with the reason why this student can't take it as it is now (None: it can).

    Errors: DataError as `kept_models.find`.
    """
    kept = kept_models.find(run, student)
    arch = Choice.model_validate(kept.model["arch"])
    if by_rounds(arch.name):
        return [(entry, "is made of trees, which have no layers to cut or to round") for entry in STEPS.entries()]
    view, module = kept.open()
    stage = Stage(arch, module)
    return [(entry, entry.facts["suits"](stage, view.spec)) for entry in STEPS.entries()]
