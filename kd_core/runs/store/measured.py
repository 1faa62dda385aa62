"""A side of a comparison and differences of sides, as result.json holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kd_core.evaluate.intervals.compare import Gain

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Arm:
    """One side of the comparison, over its seeds. `metrics` holds mean, std and values of each metric."""

    metrics: Mapping[str, Json]

    def mean(self, metric: str) -> float | None:
        """Return a metric's mean over the seeds, None where it is undefined."""
        value = (self.metrics.get(metric) or {}).get("mean")
        return None if value is None else float(value)


def read_gains(found: Json) -> dict[str, Gain]:
    """Read differences by metric."""
    return {name: read_gain(gain) for name, gain in found.items()}


def read_gain(found: Json) -> Gain:
    """Read a difference with its interval."""
    low, high = found["ci95"]
    return Gain(found["mean"], low, high, found.get("seeds_half"), found.get("rows_half"), found["n"])


def write_gain(gain: Gain) -> dict[str, Any]:
    """Write a difference as result.json holds it. Units: the metric's; the parts are half widths at 95 %."""
    parts = {"seeds_half": gain.seeds_half, "rows_half": gain.rows_half}
    return {"mean": gain.mean, "ci95": [gain.low, gain.high], **parts, "n": gain.n}


def write_gains(gains: Mapping[str, Gain]) -> dict[str, Any]:
    """Write differences by metric."""
    return {name: write_gain(gain) for name, gain in gains.items()}
