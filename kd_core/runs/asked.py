"""Settings of a run as they are typed on a command line."""

from __future__ import annotations

from typing import Any

from kd_core.errors import SpecError
from kd_core.specs import Choice, StudentSpec


def numbers(name: str, text: str | None) -> tuple[float, ...]:
    """Read a list such as `0,.25,.5`. Errors: SpecError naming what is no number."""
    found: list[float] = []
    for part in (text or "").split(",") if text is not None else ():
        try:
            found.append(float(part))
        except ValueError:
            raise SpecError(
                "The list --{name} {text} is not understood: {part!r} is not a number.",
                "Write numbers with commas between them, for example 0,.5,1.", "bad_list",
                name=name.replace("_", "-"), text=text, part=part.strip(),
            ) from None  # fmt: skip
    return tuple(found)


def student_spec(text: str) -> StudentSpec:
    """Read `small`, `resmlp:base`, `linear` or `mlp:16x2` (width x depth)."""
    presets = ("tiny", "small", "base", "large")
    arch, _, size = ("mlp", "", text) if text in presets else text.partition(":")
    width, _, depth = size.partition("x")
    if text and size in presets:
        settings: dict[str, Any] = {"size": size}
    elif width.isdigit():
        settings = {"width": int(width), "depth": int(depth) if depth.isdigit() else 1}
    elif arch and not size:
        settings = {}
    else:
        raise SpecError("The student '{text}' is not understood.", "Write small, mlp:16x2 (width x depth), resmlp:base or linear.", "bad_student", text=text)  # fmt: skip
    return StudentSpec(name=text[:40], arch=Choice(name=arch, settings=settings))
