"""Rows ready to learn from: encoded features, labels and a fixed split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy.typing as npt
import pandas as pd

from kd_core.errors import Problem
from kd_core.specs import DatasetSpec
from kd_core.task import task_of

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Part:
    """One split. Legend: N rows, F features.

    x_NF float32; y_N int64 class index (classification) or float64 in the target's own unit
    (regression: float32 would lose a small spread around a large mean); row_ids_N int64 position of the row in the file; groups_N int64 or
    None: rows of one group, and copies of a row that are kept together, have one number, over all parts.
    """

    x: Array
    y: Array
    row_ids: Array
    groups: Array | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def units(self) -> Array:
        """What was drawn as one: the group (joined with copies) of each row, or the row itself. Shape: (N,) int64."""
        return self.row_ids if self.groups is None else self.groups


@dataclass(frozen=True)
class Dataset:
    """A dataset with its task (by name), classes and three parts.

    `classes` are in label order (index = label); for binary tasks index 1 is the positive class.
    `hash` names data + target + encoder + split, so a teacher's answers can be kept under it.
    `rows` is the typed frame of the original columns (for showing a row), in file order.
    `target_mean`, `target_std` are the train part's, used to scale regression targets in training.
    """

    spec: DatasetSpec
    name: str
    hash: str
    task: str
    classes: tuple[str, ...]
    feature_names: tuple[str, ...]
    parts: dict[Split, Part]
    rows: pd.DataFrame
    problems: tuple[Problem, ...] = ()
    target_mean: float = 0.0
    target_std: float = 1.0
    encoder: Any = None

    @property
    def train(self) -> Part:
        return self.parts["train"]

    @property
    def validation(self) -> Part:
        return self.parts["validation"]

    @property
    def test(self) -> Part:
        return self.parts["test"]

    @property
    def num_features(self) -> int:
        return int(self.train.x.shape[1])

    @property
    def num_outputs(self) -> int:
        """Logits per row: one per class, or 1 for a number."""
        return task_of(self.task).num_outputs(len(self.classes))

    def scaled_y(self, split: Split) -> Array:
        """Labels as the losses want them: int64 classes, or float32 targets scaled to mean 0, sd 1."""
        return task_of(self.task).scaled(self.parts[split].y, self.target_mean, self.target_std)
