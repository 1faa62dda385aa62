"""The order of a group's rows, such as the documents that answer one query: one score a row, learned from grades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from kd_core.errors import Problem, Says
from kd_core.task import Column, HardLoss, Scale, TargetKind, Task, add

Array = npt.NDArray[Any]
STRATA = 10  # at most: grades are few as a rule
HIGHEST = 30.0  # a gain is 2^grade - 1, and beyond 2^30 one row is all that counts

_NEGATIVE = Says(
    "grade_negative",
    "error",
    "Target {column} has {count:,} {count:grade|grades} below 0, the lowest is {lowest:g}; a grade says how well a row answers its query, from 0, not at all.",
    "Move the grades up so that 0 is the worst, or leave these rows out.",
)
_HIGH = Says(
    "grade_high",
    "error",
    "Target {column} has {count:,} {count:grade|grades} above {limit:g}, the highest is {highest:g}; each step of a grade counts twice as much as the one before.",
    "Turn them into a few steps, 0 to 4 say; for prices or counts choose the task regression.",
)
_UNEVEN = Says(
    "grade_between",
    "note",
    "Target {column} has {count:,} {count:grade that is no whole number. It counts as it is|grades that are no whole numbers. They count as they are}: 2 to the power of the grade, less 1.",
)


@dataclass(frozen=True)
class Ranking(Task):
    """Labels are grades from 0 up, float64; a row's one logit is its score, which is compared with others of its group alone."""

    target: ClassVar[TargetKind] = "number"
    averages_as: str = "continuous"
    unsoftened: str | None = "ranking"

    @property
    def label_dtype(self) -> type[np.generic]:
        return np.float64

    @property
    def learned_dtype(self) -> type[np.generic]:
        return np.float32

    def likeness(self, column: Column) -> int:
        """Never guess: a column of grades looks like classes, or like any number."""
        return 0

    def problems(self, name: str, values: Array) -> tuple[Problem, ...]:
        known = values[~np.isnan(values)]
        low, high, between = known < 0, known > HIGHEST, known != np.floor(known)
        found = []
        if low.any():
            found.append(_NEGATIVE.problem(name, int(low.sum()), lowest=float(known.min())))
        if high.any():
            found.append(_HIGH.problem(name, int(high.sum()), limit=HIGHEST, highest=float(known.max())))
        if between.any() and not found:
            found.append(_UNEVEN.problem(name, int(between.sum())))
        return tuple(found)

    def num_outputs(self, num_classes: int) -> int:
        return 1

    def averages(self, num_classes: int) -> int:
        return 1

    def strata(self, y: Array) -> npt.NDArray[np.int64]:
        """Share grades out evenly: each one, or tenths where there are many."""
        known, codes = np.unique(y, return_inverse=True)
        if len(known) <= STRATA:
            return codes.astype(np.int64)
        edges = np.unique(np.quantile(y, np.linspace(0, 1, STRATA + 1)[1:-1]))
        return np.searchsorted(edges, y, side="left").astype(np.int64)

    def scale(self, y: Array) -> tuple[float, float]:
        return 0.0, 1.0

    def scaled(self, y: Array, mean: Scale, std: Scale) -> Array:
        return y.astype(np.float32)

    def unscaled(self, y: Array, mean: Scale, std: Scale) -> Array:
        return y.astype(np.float64)

    def answers(self, z: Array, mean: Scale, std: Scale) -> dict[str, Array]:
        return {"values": z[:, 0]}

    def perfect(self, y: Array, num_outputs: int) -> Array:
        return y[:, None]

    def chance(self, y: Array, num_outputs: int) -> Array:
        """Score all rows alike: any order is as good as any other then."""
        return np.zeros(1)

    def hard_loss(self, class_weights: Array | None = None) -> HardLoss:
        from kd_core.tasks.hard.listwise import ListwiseSoftmax

        return ListwiseSoftmax()


add(
    Ranking(
        name="ranking",
        title="an order within groups",
        primary="ndcg_5",
        stopping="ndcg_10",
        objective="listwise_kd",
        by_group=True,
        by_order=True,
    )
)
