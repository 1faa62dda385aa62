"""How the rows of an epoch are dealt into batches: each alone, or in whole groups where a task asks for it.

Legend: N rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kd_core.data.dataset import Array
from kd_core.seeding import derive
from kd_core.training.plan import TrainingPlan


@dataclass(frozen=True)
class Dealer:
    """Deals the rows of an epoch in an order that depends on a seed and the epoch alone. Shape: groups (N,) numbers, or None."""

    plan: TrainingPlan
    num_rows: int
    groups: Array | None = None

    @property
    def steps(self) -> int:
        """Count the batches of an epoch at most: large groups may leave fewer."""
        steps = self.plan.steps_per_epoch(self.num_rows)
        return steps if self.groups is None else min(steps, len(np.unique(self.groups)))

    def deal(self, seed: int, epoch: int) -> tuple[Tensor, list[int]]:
        """Return the rows in the order of an epoch and the sizes of its batches. Shape: (N,) on the CPU.

        A single left-over row joins the batch before it (batch norm needs two).
        """
        order = torch.randperm(self.num_rows, generator=torch.Generator().manual_seed(derive(seed, "order", epoch)))
        if self.groups is not None:
            return self._whole(order.numpy(), self.groups)
        sizes = [self.plan.batch_size] * (self.steps - 1)
        return order, [*sizes, self.num_rows - sum(sizes)]

    def _whole(self, order: Array, groups: Array) -> tuple[Tensor, list[int]]:
        """Move each group to where its first row is, and cut at the ends of groups nearest after equal shares."""
        _, first, group = np.unique(groups[order], return_index=True, return_inverse=True)
        place = first[group]  # where a row's group begins
        arranged = np.argsort(place, kind="stable")
        ends = np.flatnonzero(np.diff(place[arranged], append=-1)) + 1
        shares = np.arange(1, self.steps + 1) * self.num_rows / self.steps
        sizes: list[int] = []
        for size in np.diff(np.unique(ends[np.searchsorted(ends, shares - 1e-6)]), prepend=0).tolist():
            if sizes and 1 in (size, sizes[-1]):
                sizes[-1] += size
            else:
                sizes.append(size)
        return torch.from_numpy(order[arranged]), sizes
