"""The mode of a run as it is typed on a command line."""

from __future__ import annotations

from typing import Any

from kd_core.runs.asked import setting
from kd_core.specs import Choice

PART = "mode"


def of_others(settings: list[str] | None) -> list[str]:
    """Return the settings that belong to another part. Example: `of_others(["mode.generations=2", "teacher.trees=9"])`"""
    return [text for text in settings or () if not _mine(text)]


def mode(name: str, settings: list[str] | None) -> Choice:
    """Read settings such as `mode.generations=2`; values are JSON, or text. Errors: UnknownName; SpecError naming what is not understood."""
    from kd_core.distill import MODES

    found: dict[str, Any] = {}
    for text in filter(_mine, settings or ()):
        key, value, _ = setting(text, PART, "generations=2")
        found[key] = value
    entry = MODES.get(name)
    held = entry.spec.parse(found, f"the mode {name}").model_dump(mode="json")  # a text such as .5 is a number
    return Choice(name=name, settings={key: held[key] for key in found})


def _mine(text: str) -> bool:
    return text.strip().startswith(f"{PART}.")
