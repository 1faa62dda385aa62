"""Which columns hold free text, before and after a file is understood: what the views of texts read."""

from __future__ import annotations

from collections.abc import Mapping

from kd_core.data.table import Profile
from kd_core.data.types.base import ColumnType


def text_columns(types: Mapping[str, ColumnType]) -> tuple[str, ...]:
    """Name the columns of free text."""
    return tuple(name for name, column in types.items() if column.kind == "text")


def why_no_texts(types: Mapping[str, ColumnType]) -> str | None:
    """Say why columns can't be read as texts, or None."""
    return None if text_columns(types) else "needs a column of free text"


def count_texts(profile: Profile) -> int:
    """Count the columns of free text that may be learned from."""
    return sum(c.used and c.name != profile.target and c.kind == "text" for c in profile.columns)
