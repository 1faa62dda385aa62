"""The 95 % interval of a mean over seeds, for the bars of charts."""

from __future__ import annotations

from collections.abc import Sequence

from kd_core.evaluate.intervals.compare import paired


def bounds(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    """Return the t interval of the values' mean, or (None, None) below two values."""
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return None, None
    found = paired(known, [0.0] * len(known))
    return found.low, found.high
