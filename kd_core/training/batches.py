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
    """Deals the rows of an epoch in an order that depends on a seed and the epoch alone. Shape: groups (N,) numbers, or None.

    `made` rows follow the `num_rows` training rows. They are dealt beside them: every batch holds its training rows first, the same as
    without, and as many made ones, so that the number of steps stays what it is.
    """

    plan: TrainingPlan
    num_rows: int
    groups: Array | None = None
    made: int = 0

    @property
    def dealt(self) -> int:
        """Count the rows that an epoch sees."""
        return 2 * self.num_rows if self.made else self.num_rows

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
        sizes.append(self.num_rows - sum(sizes))
        return self._beside(order, sizes, seed, epoch) if self.made else (order, sizes)

    def _beside(self, order: Tensor, sizes: list[int], seed: int, epoch: int) -> tuple[Tensor, list[int]]:
        """Put as many made rows as training rows into every batch: none twice in an epoch as long as there are enough."""
        generator = torch.Generator().manual_seed(derive(seed, "made rows", epoch))
        drawn = [torch.randperm(self.made, generator=generator) for _ in range(-(-self.num_rows // self.made))]
        made = torch.cat(drawn)[: self.num_rows] + self.num_rows
        pairs = zip(order.split_with_sizes(sizes), made.split_with_sizes(sizes), strict=True)
        return torch.cat([part for pair in pairs for part in pair]), [2 * size for size in sizes]

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
