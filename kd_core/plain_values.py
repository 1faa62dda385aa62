"""Values as JSON holds them: what is read from a stranger's file and can't be kept or shown is refused with its place."""

from __future__ import annotations

import math
from typing import Any

from kd_core.errors import SpecError

MOST_CHARACTERS = 120  # of one place or value in a message
MOST_LEVELS = 32  # lists and groups in each other; a run has six


def short(text: str) -> str:
    """Cut a text for a message; what can't be shown is written as its code."""
    text = text[: MOST_CHARACTERS + 1].encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"


def too_deep(where: str) -> SpecError:
    """Make the error for nesting beyond the limit."""
    return SpecError(
        "{where} is nested more than {limit} levels deep.",
        "Use a file that this program wrote.",
        "too_deep",
        where=where,
        limit=MOST_LEVELS,
    )


def check_plain(values: Any, where: str) -> None:
    """Refuse what can be parsed but neither kept nor shown: endless nesting, numbers and letters that are none.

    Errors: SpecError with code `bad_value` or `too_deep`, naming the place.
    """
    level = [("", values)]
    for _ in range(MOST_LEVELS + 1):
        deeper: list[tuple[str, Any]] = []
        for place, value in level:
            what = _unkept(value)
            if what is not None:
                raise SpecError(
                    "{place} {what}.", "Correct it and try again.", "bad_value", place=short(place) or where, what=what
                )
            inner: Any = ()
            if isinstance(value, dict):
                inner = [*value.items(), *((f"the name of {i + 1}", k) for i, k in enumerate(value) if _unkept(k))]
            elif isinstance(value, list | tuple):
                inner = enumerate(value)
            deeper += [(f"{place}.{key}" if place else str(key), held) for key, held in inner]
        if not deeper:
            return
        level = deeper
    raise too_deep(where)


def _unkept(value: Any) -> str | None:
    """Say what is wrong with one plain value, or None."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"is {value}, which is not a finite number"
    if isinstance(value, int) and abs(value) >= 2**63:
        return f"is a whole number of {value.bit_length():,} bits, which is too large"
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            return f"holds half a letter (character {error.start + 1} is {value[error.start]!a})"
    return None
