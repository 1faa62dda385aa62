"""What some rows say about several models at once: every difference with its interval, from one draw of the rows.

Models stand in sides: the teacher alone, and the seeds of each arm, paired by position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import METRICS, Answers
from kd_core.evaluate.compare import CONFIDENCE, Gain, certified
from kd_core.evaluate.row_spread import RowSpread, row_spread
from kd_core.specs import Task


class Evidence:
    """The answers of all sides to the same rows. `units_N` numbers the rows that belong together, None: each alone."""

    def __init__(self, sides: Mapping[str, Sequence[Answers]], units_N: Array | None) -> None:
        self.units = units_N
        self._models = [answers for side in sides.values() for answers in side]
        self._at: dict[str, list[int]] = {}
        for name, side in sides.items():
            start = sum(len(at) for at in self._at.values())
            self._at[name] = list(range(start, start + len(side)))
        self._spreads: dict[str, RowSpread | None] = {}

    @property
    def task(self) -> Task:
        """Return the task that the models answer."""
        return self._models[0].task

    @property
    def num_units(self) -> int:
        """Count the rows, or the units they belong to."""
        return len(self._models[0].y) if self.units is None else len(np.unique(self.units))

    def spread(self, metric: str) -> RowSpread | None:
        """Return how the metric of all models moves with the rows; None where it is undefined for one of them."""
        if metric not in self._spreads:
            self._spreads[metric] = row_spread(metric, self._models, self.units)
        return self._spreads[metric]

    def gain(self, metric: str, first: str, second: str, level: float = CONFIDENCE) -> Gain | None:
        """Compare two sides, above 0 when the first is better; None where the metric is undefined.

        Seeds are paired by position; a side of one model is compared with every seed of the other.
        """
        spread = self.spread(metric)
        if spread is None:
            return None
        sign = 1.0 if METRICS.get(metric).facts["better"] == "higher" else -1.0
        ours, theirs = self._at[first], self._at[second]
        weights = np.zeros(len(self._models))
        weights[ours] += sign / len(ours)
        weights[theirs] -= sign / len(theirs)
        differences = sign * (spread.values_M[ours] - spread.values_M[theirs])
        return certified(differences, spread.standard_error(weights), level)

    def gap_closed(self, metric: str) -> Gain | None:
        return None  # TEMP
