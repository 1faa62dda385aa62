"""Rows ready to learn from: labels, a fixed split, and the ways in which they can be read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kd_core.data.input_spec import TABLE
from kd_core.data.table import PLAIN
from kd_core.data.view import SPLITS, Array, HeldOut, Split, Viewed, Views, rows_without
from kd_core.errors import Problem
from kd_core.specs import DatasetSpec, ReadSpec
from kd_core.task import Scale, task_of

__all__ = ["SPLITS", "Array", "Dataset", "Part", "Split"]


@dataclass(frozen=True)
class Part:
    """One split; what a model reads of its rows is a view's affair. Legend: N rows.

    y_N int64 class index (classification) or float64 in the target's own unit
    (regression: float32 would lose a small spread around a large mean), y_NT where a row has several labels (`Task.target`); row_ids_N int64 position of the row in the file; groups_N int64 or
    None: rows of one group, and copies of a row that are kept together, have one number, over all parts.
    """

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
    `columns` are those that views may read; `rows` is the typed frame of the original columns (for showing a row), in file order.
    `target_mean`, `target_std` are the train part's, used to scale regression targets in training. `settled`: as in `Table`.
    `texts`: those of the columns that hold free text.
    """

    spec: DatasetSpec
    name: str
    hash: str
    task: str
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    parts: dict[Split, Part]
    views: Views
    rows: pd.DataFrame
    told: tuple[Problem, ...] = ()
    target_mean: Scale = 0.0
    target_std: Scale = 1.0
    settled: ReadSpec = PLAIN
    texts: tuple[str, ...] = ()

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
    def problems(self) -> tuple[Problem, ...]:
        """What was found in the file, and what views found since."""
        return (*self.told, *self.views.problems)

    def view(self, kind: str = TABLE) -> Viewed:
        """Read all parts in one way; encoded at the first call. Errors: DataError `no_view`."""
        return self.views.get(kind)

    def without(self, kind: str, held_N: Array, made: pd.DataFrame | None = None) -> tuple[Array, Array, Array]:
        """Return the other training rows, the validation and the held-out rows, none knowing a held-out target.

        `made`: rows made of held-out rows, which follow them.
        Shape: held (N,) bool over the training rows, made M rows -> rows of (N - H), (V) and (H + M).
        """
        viewed = self.view(kind)
        train, validation = self.train, self.validation
        rows = HeldOut(self.rows, train.row_ids, validation.row_ids, train.y, train.groups, held_N, viewed.parts, made)
        return rows_without(viewed, rows)

    def dealt_by(self, split: Split = "train") -> Array | None:
        """Number the groups of a part's rows that a batch holds whole, where the task asks for it. Shape: (N,) int64.

        Unlike `Part.groups` they know nothing of copies; a row without a group is one of its own.
        """
        if self.spec.group is None or not task_of(self.task).by_group:
            return None
        codes, _ = pd.factorize(self.rows[self.spec.group].iloc[self.parts[split].row_ids])
        return np.where(codes < 0, len(codes) + np.arange(len(codes)), codes)

    @property
    def num_outputs(self) -> int:
        """Logits per row: one per class, or 1 for a number."""
        return task_of(self.task).num_outputs(len(self.classes))

    @property
    def width(self) -> int:
        """Numbers that are kept of a row's answer: its logits, or the short form of them."""
        return task_of(self.task).width(self.num_outputs)

    @property
    def catalogue(self) -> int | None:
        """Number of items where answers are kept in a short form, None elsewhere."""
        return self.num_outputs if task_of(self.task).compact else None

    def scaled_y(self, split: Split) -> Array:
        """Labels as the losses want them: int64 classes, or float32 targets scaled to mean 0, sd 1."""
        return task_of(self.task).scaled(self.parts[split].y, self.target_mean, self.target_std)
