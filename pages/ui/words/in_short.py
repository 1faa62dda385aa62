"""A verdict in one sentence, before all intervals: what to make of a result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core.runs.outcome import read_outcome
from pages.ui.shared.text import Safe, t


def of(result: Mapping[str, Any], student: int) -> Safe:
    """Say it by the verdict, and by how a plain model of its size stands to the student. Errors: KDError when the result can't be read."""
    found = read_outcome(result).students[student]
    beside = t(f"runs.in_short.plain_{found.plain.standing}") if found.plain else ""
    return Safe(f"{t(f'runs.in_short.{found.verdict}')} {beside}".strip())
