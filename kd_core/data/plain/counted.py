"""A noun with its number; it goes along with a model that is handed out."""

from __future__ import annotations


def plural(count: int, noun: str, many: str | None = None) -> str:
    """Count a noun. Example: `1 value`, `2,000 values`."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"
