"""Several labels a row: every label is a yes or no of its own, and any number of them may be right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from kd_core.task import BY_FORM, Column, HardLoss, Scale, TargetKind, Task, add

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Multilabel(Task):
    """Labels are rows of 0 and 1, one column a label; a label has one logit, its log odds, and its probability stands alone."""

    target: ClassVar[TargetKind] = "labels"
    averages_as: str = "continuous"  # of 0 and 1 the share of rows, also where a label has one value only
    each_alone: bool = True

    @property
    def label_dtype(self) -> type[np.generic]:
        return np.int64

    @property
    def learned_dtype(self) -> type[np.generic]:
        return np.float32

    def likeness(self, column: Column) -> int:
        """Take columns whose cells are lists of labels."""
        if column.kind not in ("text", "category", "id"):
            return 0
        from kd_core.data.labels import cells as list_cells

        return BY_FORM if list_cells.looks_like_lists(column.values.dropna()) else 0

    def likeness_together(self, columns: Sequence[Any]) -> int:
        """Take columns that all hold yes and no."""
        from kd_core.data.labels import reading

        plain = [not other.any() and (told >= 0).any() for told, other in (reading.yes_no(c.values) for c in columns)]
        return 3 if all(plain) else 0

    def read(self, columns: Sequence[Any], cells: Mapping[str, Any], rare: str) -> Any:
        """Read one column of lists, or several of yes and no."""
        from kd_core.data.labels import reading

        if len(columns) == 1:
            return reading.of_lists(columns[0], cells[columns[0].name], self.name, rare)
        return reading.of_columns(columns, cells, self.name, rare)

    def num_outputs(self, num_classes: int) -> int:
        return num_classes

    def averages(self, num_classes: int) -> int:
        return num_classes

    def averaged(self, y: Array) -> tuple[tuple[str, Array], ...]:
        return tuple((self.averages_as, column.astype(np.float64)) for column in y.T)

    def strata(self, y: Array) -> npt.NDArray[np.int64]:
        from kd_core.data.labels import strata

        return strata.rarest(y)

    def scale(self, y: Array) -> tuple[Scale, Scale]:
        return 0.0, 1.0

    def scaled(self, y: Array, mean: Scale, std: Scale) -> Array:
        return y.astype(np.float32)

    def unscaled(self, y: Array, mean: Scale, std: Scale) -> Array:
        return y.astype(np.int64)

    def answers(self, z: Array, mean: Scale, std: Scale) -> dict[str, Array]:
        return {"p": self.shared(z), "z": z}

    def perfect(self, y: Array, num_outputs: int) -> Array:
        return (2 * y - 1).astype(np.float32)

    def chance(self, y: Array, num_outputs: int) -> Array:
        """Give every label its share of the rows; a value that never occurs counts as half a row."""
        yes = np.maximum(y.sum(axis=0, dtype=np.float64), 0.5)
        no = np.maximum(len(y) - y.sum(axis=0, dtype=np.float64), 0.5)
        found: Array = np.log(yes) - np.log(no)
        return found

    def hard_loss(self, class_weights: Array | None = None) -> HardLoss:
        from kd_core.tasks.hard.each_label import EachLabel

        return EachLabel.weighted(class_weights)


add(
    Multilabel(
        name="multilabel",
        title="several labels",
        primary="map",
        stopping="label_log_loss",  # ranking metrics forgive over-confident probabilities, and students learn from those
        objective="bernoulli_kd",
        beside=("label_log_loss",),
        usual=True,
    )
)
