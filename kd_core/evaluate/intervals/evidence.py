"""What some rows say about several models at once: every difference on every metric, from the same rows.

Models stand in sides: the teacher alone, and the seeds of each arm, paired by position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import METRICS, Answers
from kd_core.evaluate.intervals.compare import Gain
from kd_core.evaluate.intervals.comparison import Comparison


class Evidence:
    """The answers of all sides to the same rows. `units_N` numbers the rows that belong together, None: each alone."""

    def __init__(self, sides: Mapping[str, Sequence[Answers]], units_N: Array | None) -> None:
        self.sides = {name: side for name, side in sides.items() if side}
        self.units = units_N
        self._values: dict[str, dict[str, list[float | None]]] = {}
        self._measured: dict[str, Comparison | None] = {}

    @property
    def num_units(self) -> int:
        """Count the rows, or the units they belong to."""
        one = next(iter(self.sides.values()))[0]
        return len(one.y) if self.units is None else len(np.unique(self.units))

    def metrics(self) -> list[str]:
        """Name the metrics that fit the task."""
        one = next(iter(self.sides.values()))[0]
        return [e.name for e in METRICS.entries() if e.works_for(one.task)]

    def values(self, metric: str, side: str) -> list[float | None]:
        """The metric of each model of a side; None where it is undefined. Computed once, for the intervals too."""
        known = self._values.setdefault(metric, {})
        if side not in known:
            make = METRICS.get(metric).make
            known[side] = [make(a) for a in self.sides[side]]
        return known[side]

    def beside(self, side: str, other: str, models: Sequence[Answers]) -> Evidence:
        """Set one side beside other models; what was computed of it is not computed again."""
        found = Evidence({side: self.sides[side], other: models}, self.units)
        found._values = {metric: {side: known[side]} for metric, known in self._values.items() if side in known}
        return found

    def gain(self, metric: str, first: str, second: str) -> Gain | None:
        """Compare two sides, above 0 when the first is better; None where the metric is undefined."""
        found = self._comparison(metric)
        return None if found is None else found.gain(first, second)

    def gap_closed(self, metric: str) -> Gain | None:
        """Tell the student's share of the way from baseline to teacher; None unless that way is surely longer than 0."""
        found = self._comparison(metric)
        return None if found is None else found.gap_closed("student", "baseline", "teacher")

    def _comparison(self, metric: str) -> Comparison | None:
        if metric not in self._measured:
            values = {side: self.values(metric, side) for side in self.sides}
            self._measured[metric] = Comparison.measure(metric, self.sides, self.units, values)
        return self._measured[metric]
