"""Pictures of a zip: which members they are, decoded in a child process, and what a person should be told of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from kd_core import limits
from kd_core.data.files import sandbox
from kd_core.errors import DataError, Problem, Says
from kd_core.safe_io import shown_name

PICTURE = re.compile(r"\.(?:png|jpe?g|webp|bmp)$", re.IGNORECASE)

_BROKEN = Says(
    "broken_pictures",
    "warning",
    "{count:,} of {of:,} pictures can't be read and were left out: {some}.",
    "Save them again as PNG or JPEG, of at most {limit} million pixels, if they matter.",
)
_TURNED = Says(
    "turned_pictures", "note", "{count:,} {count:picture was turned as its|pictures were turned as their} camera says."
)
_MOVING = Says(
    "moving_pictures", "note", "{count:,} {count:picture moves; its|pictures move; their} first frame is taken."
)
_SCALED = Says(
    "scaled_pictures",
    "note",
    "{count:,} of {of:,} pictures of {sizes:,} {sizes:size|sizes} were stretched to {shape}.",
    "The longest side is at most {side} pixels; change it under how the file is read.",
)


def decoded(path: Path, members: list[str], side: int, target: Path, name: str) -> dict[str, Any]:
    """Decode members into one `.npy` file in the child; return what `decoding.decode` found.

    Errors: DataError `no_pictures` where none can be read, or a limit's code; its own words for running out of time speak of pictures.
    """
    try:
        given = (str(path.resolve()), members, side, str(target), name)
        found: dict[str, Any] = sandbox.call("kd_core.data.pictures.decoding:decode", *given)
    except DataError as error:
        if error.code not in ("parse_time", "parse_memory"):
            raise
        raise DataError(
            "{text}", "Make the pictures smaller before packing them, or take fewer.", error.code, text=error.message
        ) from error
    if not found["kept"]:
        raise DataError(
            "None of the {count:,} pictures of {name} can be read; the first: {why}.",
            "Save them again as PNG or JPEG.",
            "no_pictures",
            count=len(members),
            name=name,
            why=found["broken"][0][1],
        )
    return found


def findings(found: dict[str, Any], members: list[str], shape: str, side: int, column: str) -> list[Problem]:
    """Say what was left out, turned and stretched, each with its count."""
    problems, kept = [], len(found["kept"])
    if broken := [f"{shown_name(members[at])} ({why})" for at, why in sorted(found["broken"])]:
        most = limits.PICTURE_PIXELS // 10**6
        some = ", ".join(broken[:5])
        problems.append(_BROKEN.problem(column, len(broken), of=len(members), some=some, limit=most))
    if found["turned"]:
        problems.append(_TURNED.problem(column, found["turned"]))
    if found["moving"]:
        problems.append(_MOVING.problem(column, found["moving"]))
    if found["scaled"]:
        given = {"of": kept, "sizes": found["sizes"], "shape": shape, "side": side}
        problems.append(_SCALED.problem(column, found["scaled"], **given))
    return problems
