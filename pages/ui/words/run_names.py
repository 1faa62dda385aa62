"""What finished runs are called where one is chosen: no two alike, for a box knows its options by what they are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from kd_core.runs.store.rows import RunRow

MINUTE, SECOND = 16, 19  # characters of a time


def of(rows: Sequence[RunRow]) -> dict[str, str]:
    """Name runs by what they are called and when they were made; alike to the minute by the second, and alike in that by their ids as well."""
    found = {row.id: _at(row, MINUTE) for row in rows}
    for longer in (lambda row: _at(row, SECOND), lambda row: f"{_at(row, SECOND)} · {row.id}"):
        alike = Counter(found.values())
        found |= {row.id: longer(row) for row in rows if alike[found[row.id]] > 1}
    return found


def _at(row: RunRow, end: int) -> str:
    return f"{row.name} · {row.created_utc[:end].replace('T', ' ')}"
