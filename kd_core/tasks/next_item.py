"""Which item comes next: one class of a catalogue that may hold tens of thousands.

Answers are kept in a short form, since those of 100,000 rows to 10,000 items would take 4 GB: the most likely items, their
log-probabilities, and the log-probability of each other item, which share evenly what is left. Legend: N rows, C items,
K of them kept, W = 2 K + 1 numbers a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kd_core.task import Column, Question, Scale, add
from kd_core.tasks.classification import Classification

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[Any]
KEPT = 100  # items of an answer
SHOWN = 10  # of what a model taken home answers
NOTHING = -80.0  # log of what is taken for a probability of 0: float32 holds its exponential


@dataclass(frozen=True)
class NextItem(Classification):
    """The item after a history; one that training never saw has the label -1, and no answer names it."""

    def likeness(self, column: Column) -> int:
        """Look like no column: a table of users and items is told from others by its columns' meaning."""
        return -1

    def settled(self, num_classes: int) -> str:
        return self.name

    def averages(self, num_classes: int) -> int:
        return num_classes

    def strata(self, y: Array) -> npt.NDArray[np.int64]:
        """Take all rows for one stratum: thousands of items can't be shared out evenly."""
        return np.zeros(len(y), np.int64)

    def width(self, num_outputs: int) -> int:
        return 2 * min(KEPT, num_outputs) + 1

    def kept(self, z: Tensor) -> Tensor:
        """Keep the most likely items. Shape: (N, C) -> (N, W) float32: K numbers of classes, K log-probabilities, that of each other."""
        import torch

        count, classes = min(KEPT, z.shape[1]), z.shape[1]
        log_p = torch.log_softmax(z.float(), dim=1)
        top = log_p.topk(count, dim=1)
        left = (1 - top.values.double().exp().sum(1, keepdim=True)).clamp(min=0) / max(1, classes - count)
        rest = left.log().clamp(min=NOTHING).to(torch.float32)
        rest = torch.minimum(rest, top.values[:, -1:])  # what rounding leaves over never passes a kept one
        unknown = top.values[:, :1].isnan()
        found = torch.cat([top.indices.to(torch.float32), top.values.clamp(min=NOTHING), rest], dim=1)
        return found.masked_fill(unknown, float("nan"))

    def spread(self, kept: Tensor, num_outputs: int) -> Tensor:
        """Give every item its log-probability; all are NaN in a row of NaN. Shape: (N, W) -> (N, C)."""
        count = kept.shape[1] // 2
        dense = kept[:, -1:].repeat(1, num_outputs)
        return dense.scatter_(1, kept[:, :count].nan_to_num(0.0).long(), kept[:, count : 2 * count])

    def answers(self, z: Array, mean: Scale, std: Scale) -> dict[str, Array]:
        """Read the short form. Shape: z (N, W)."""
        return {"kept": z}

    def table(self, z: Array, mean: Scale, std: Scale) -> Array:
        """Give the first items that were kept and their probabilities. Shape: (N, W) -> (N, 20), or less of a short catalogue."""
        count = z.shape[1] // 2
        shown = min(SHOWN, count)
        found: Array = np.concatenate([z[:, :shown], np.exp(z[:, count : count + shown])], axis=1)
        return found

    def questions(self, target: str, classes: Sequence[str]) -> tuple[Question, ...]:
        return ((target, "first", 0, 2 * min(SHOWN, len(classes)), tuple(classes)),)

    def apart(self, found: Array, z: Array, mean: Scale, std: Scale) -> Array:
        """Compare shares with what was kept of the same items: which of two equally likely ones is first is nobody's choice."""
        count, shown = z.shape[1] // 2, found.shape[1] // 2
        same = found[:, :shown, None] == z[:, None, :count]
        log_p = np.where(same.any(axis=2), (same * z[:, None, count:-1]).sum(axis=2), z[:, -1:])
        both = np.abs(found[:, shown:] - np.exp(log_p)), np.abs(found - self.table(z, mean, std))[:, shown:]
        return np.concatenate(both, axis=1)

    def perfect(self, y: Array, num_outputs: int) -> Array:
        """Name the right item alone, and no item where it is in no catalogue. Shape: (N,) -> (N, W)."""
        count = min(KEPT, num_outputs)
        items = np.tile(np.arange(count, dtype=np.float32), (len(y), 1))
        known = y >= 0
        first = np.where(known, y, 0)
        items[:, 0] = first
        rows = np.flatnonzero((first > 0) & (first < count))
        items[rows, first[rows]] = 0
        log_p = np.full((len(y), count + 1), NOTHING, np.float32)
        log_p[known, 0] = 0
        log_p[~known] = -np.log(num_outputs)
        return np.concatenate([items, log_p], axis=1)

    def chance(self, y: Array, num_outputs: int) -> Array:
        return super().chance(y[y >= 0], num_outputs)


add(
    NextItem(
        name="next_item",
        title="the next item",
        primary="next_ndcg_10",
        stopping="next_log_loss",
        objective="hinton",
        averages_as="multiclass",
        beside=("next_log_loss", "next_hit_10"),
        by_history=True,
        compact=True,
    )
)
