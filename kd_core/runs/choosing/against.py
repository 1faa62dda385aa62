"""The score to reach where it was asked for what may be lost against the teacher: from the teacher's on the rows that choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kd_core.evaluate import METRICS
from kd_core.specs import ChooseSpec

HUNDREDTHS = 100.0  # points of a share, percent of an error


@dataclass(frozen=True)
class Against:
    """The teacher's `score` on the validation rows, and what a student has to reach there at `least` (errors: at most).

    On the very rows by which students are stopped and chosen, so that both are measured alike. `percent`: what may be lost is a share of
    the teacher's error, not points. `unseen`: the teacher did not learn from these rows, though they may have stopped or chosen it, too;
    False where that is not known, as of a model that was given.
    """

    score: float
    least: float
    percent: bool
    unseen: bool

    def told(self) -> dict[str, Any]:
        """Return what result.json says of it."""
        return asdict(self)


def in_percent(metric: str) -> bool:
    """Say whether what may be lost is told in percent of the teacher's value, as errors are, and not in points."""
    return bool(METRICS.get(metric).facts["relative"])


def amount(lost: float, metric: str, teacher: float) -> float:
    """Turn points into the metric's unit; of an error they are percent of the teacher's.

    Example:
        >>> amount(1.0, "accuracy", 0.9), amount(5.0, "rmse", 40.0)
        (0.01, 2.0)
    """
    return lost / HUNDREDTHS * (abs(teacher) if in_percent(metric) else 1.0)


def least(lost: float, metric: str, teacher: float) -> float:
    """Return the worst score that loses no more than so many points (errors: percent) against the teacher's."""
    sign = 1.0 if METRICS.get(metric).facts["better"] == "higher" else -1.0
    return teacher - sign * amount(lost, metric, teacher)


def with_score(goals: ChooseSpec, found: Against | None) -> ChooseSpec:
    """Put the score to reach in the place of what may be lost: from here on the rule is that of a score."""
    return goals if found is None else goals.model_copy(update={"score": found.least, "lost": None})


def read(told: Mapping[str, Any] | None) -> Against | None:
    """Read what `Against.told` wrote."""
    if told is None:
        return None
    return Against(float(told["score"]), float(told["least"]), bool(told["percent"]), bool(told["unseen"]))
