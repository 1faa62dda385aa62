"""The 95 % interval of a mean over seeds, for the bars of charts, and how far a score can go at all."""

from __future__ import annotations

from collections.abc import Sequence

from kd_core.evaluate import METRICS
from kd_core.evaluate.intervals.compare import paired


def most(metric: str) -> float | None:
    """Return the best score a metric can have; None where better is always possible, or lower is better."""
    known = metric in METRICS.names()
    return 1.0 if known and METRICS.get(metric).facts["better"] == "higher" else None


def bounds(values: Sequence[float | None], metric: str) -> tuple[float | None, float | None]:
    """Return the t interval of the values' mean as far as the metric reaches, or (None, None) below two values."""
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return None, None
    found = paired(known, [0.0] * len(known))
    end = most(metric)
    return found.low, found.high if end is None else min(found.high, end)
