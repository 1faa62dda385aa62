"""All differences between the arms of a result on one metric, measured on the same test rows.

Example:
    arms = {"teacher": [a], "baseline": [b0, b1, b2], "student": [s0, s1, s2]}    # Answers per seed
    found = Comparison.measure("roc_auc", arms, units_N)
    found.gain("student", "baseline"), found.gain("student", "teacher"), found.gap_closed("student", "baseline", "teacher")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import Answers, better_of
from kd_core.evaluate.intervals.compare import CONFIDENCE, Better, Gain, certified, differences
from kd_core.evaluate.intervals.row_spread import RowSpread, row_spread


@dataclass(frozen=True)
class Comparison:
    """One metric of several arms with what their common test rows leave open. `places`: each arm's models."""

    metric: str
    better: Better
    places: Mapping[str, slice]
    spread: RowSpread

    @classmethod
    def measure(
        cls,
        metric: str,
        arms: Mapping[str, Sequence[Answers]],
        units_N: Array | None = None,
        values: Mapping[str, Sequence[float | None]] | None = None,
    ) -> Comparison | None:
        """Measure the metric of all arms; None when it is undefined for one of their models.

        `values`: the metric's values per arm where they are known already. Errors: KDError `unit_rows`.
        """
        models = [one for arm in arms.values() for one in arm]
        known = None if values is None else [v for arm in arms for v in values[arm]]
        spread = row_spread(metric, models, units_N, known)
        if spread is None:
            return None
        ends = np.cumsum([len(arm) for arm in arms.values()]).tolist()
        places = {name: slice(end - len(arm), end) for (name, arm), end in zip(arms.items(), ends, strict=True)}
        return cls(metric, better_of(metric), places, spread)

    def values(self, arm: str) -> list[float]:
        """The metric of each seed of an arm."""
        return [float(v) for v in self.spread.values_M[self.places[arm]]]

    def gain(self, first: str, second: str, level: float = CONFIDENCE) -> Gain:
        """Compute by how much the first arm is better than the second. Errors: KDError `unpaired`, `not_finite`."""
        per_seed = differences(self.values(first), self.values(second), self.better)
        return certified(per_seed, self.spread.standard_error(self._mean(first) - self._mean(second)), level)

    def gap_closed(self, student: str, baseline: str, teacher: str, level: float = CONFIDENCE) -> Gain | None:
        """Compute the share of the way from baseline to teacher that the student went, with its interval.

        Share = (student - baseline) / (teacher - baseline); None unless the interval of the way itself lies above 0.
        The interval is the delta method's: a change of the share is (d student - (1 - share) d baseline - share
        d teacher) / way, over seeds and over rows alike. Units: 1 = all of the way. Errors: KDError `unpaired`.
        """
        differences(self.values(student), self.values(baseline))  # refuses arms of other seeds
        way = self.gain(teacher, baseline, level)
        if way.low is None or way.low <= 0:
            return None
        ours, theirs, top = (np.array(self.values(arm)) for arm in (student, baseline, teacher))
        distance = top.mean() - theirs.mean()  # signed as the metric is, as is everything below
        share = (ours.mean() - theirs.mean()) / distance
        per_seed = (
            share
            + ((ours - ours.mean()) - (1 - share) * (theirs - theirs.mean()) - share * (top - top.mean())) / distance
        )
        weights = (self._mean(student) - (1 - share) * self._mean(baseline) - share * self._mean(teacher)) / distance
        return certified(per_seed, self.spread.standard_error(weights, scale=1 / abs(distance)), level)

    def _mean(self, arm: str) -> Array:
        weights = np.zeros(len(self.spread.values_M))
        weights[self.places[arm]] = 1 / len(self.spread.values_M[self.places[arm]])
        return weights
