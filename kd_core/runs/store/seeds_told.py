"""How many seeds the cells of a what-if have: where some were added, other than its recipe and its name say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core.runs.cells.older_cells import written_cells
from kd_core.specs import RunSpec


def seeds(spec: RunSpec, found: Mapping[str, Any] | None) -> str:
    """Say how many seeds the cells have, those of the recipe until there is a result: 3, or 3–8 where they differ."""
    numbers = sorted({len(c["seeds"]) for c in written_cells(found) if c["seeds"]}) if found else []
    if not numbers:
        return str(spec.training.seeds_at_first)
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}–{numbers[-1]}"


def named(name: str, spec: RunSpec, found: Mapping[str, Any] | None) -> str:
    """Tell a what-if's seeds as they are where its name tells those of the recipe."""
    made = f"seeds={spec.training.seeds}"
    if spec.sweep is None or made not in name:
        return name
    return " ".join(f"seeds={seeds(spec, found)}" if word == made else word for word in name.split(" "))
