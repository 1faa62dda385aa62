"""How differences of a metric are written: in points of shares, else in the metric's unit."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kd_core.evaluate.intervals.compare import Gain
from kd_core.runs.outcome import Metric


@dataclass(frozen=True)
class Scale:
    """How differences of a metric are written: points of shares, else the metric's unit; enough digits for the interval."""

    factor: float
    digits: int
    points: str

    @classmethod
    def of(cls, metric: Metric, gain: Gain) -> Scale:
        """Choose the digits so that half the interval shows two that count."""
        factor, points = (100.0, "points of ") if metric.unit == "share" else (1.0, "")
        half = gain.high - gain.mean if gain.high is not None else gain.rows_half or abs(gain.mean)
        size = factor * abs(half)
        digits = 1 - math.floor(math.log10(size)) if size > 0 else 2
        return cls(factor, min(8, max(2 if metric.unit == "share" else 0, digits)), points)

    def __call__(self, value: float) -> str:
        return f"{self.factor * value:+,.{self.digits}f}"

    def value(self, value: float | None) -> str:
        """Write the metric itself, to the same digits."""
        return "undefined" if value is None else f"{value:,.{self.digits + (2 if self.factor > 1 else 0)}f}"

    def interval(self, gain: Gain) -> str:
        """Write the interval with its two parts."""
        rows = "" if gain.rows_half is None else f"rows +-{self(gain.rows_half).lstrip('+')}"
        if gain.low is None or gain.high is None:
            return f"one seed, no interval{'; ' + rows if rows else ''}"
        parts = f"; seeds +-{self(gain.seeds_half or 0.0).lstrip('+')}, {rows}" if rows else ""
        return f"95 %: {self(gain.low)} to {self(gain.high)}{parts}"
