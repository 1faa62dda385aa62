"""One metric for many networks at once, and the loss that settles its ties: what a sweep asks for after every epoch.

Legend: S networks, V validation rows, C outputs, P positive and M negative rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from kd_core.data.dataset import Array
from kd_core.evaluate import METRICS
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import settling
from kd_core.task import Scale, task_of


class ManyScores:
    """Measures one metric for S networks. `y`, `mean`, `std` and `groups` as in `from_logits`.

    The usual metrics are computed for all networks together and equal the registered ones to rounding; any other
    is computed network by network.
    """

    def __init__(
        self, task: str, y: Array, metric: str, mean: Scale = 0.0, std: Scale = 1.0, groups: Array | None = None
    ) -> None:
        self.groups, self.task, self.y, self.metric, self.mean, self.std = (
            groups,
            task,
            np.asarray(y),
            metric,
            mean,
            std,
        )
        told = task_of(task)
        self._settles = settling(task)
        self._together: dict[str, Callable[[Tensor], Tensor]] = {
            "accuracy": self._right,
            "log_loss": self._log_loss,
            "rmse": self._rmse,
        }
        if told.positive:
            self._yes = torch.from_numpy(np.flatnonzero(self.y == 1))
            self._no = torch.from_numpy(np.flatnonzero(self.y != 1))
            if len(self._yes) and len(self._no):
                self._together["roc_auc"] = self._area
        self._truth = torch.from_numpy(self.y.astype(told.label_dtype))

    def __call__(self, z: Tensor) -> list[float | None]:
        """Measure. Shape: z (S, C, V) on the CPU; a network with an answer that is not finite gets None."""
        return self._measure(self.metric, z)

    def losses(self, z: Tensor) -> list[float | None]:
        """Measure what decides between epochs of the same score, None where nothing does. Shape: as for a call."""
        return self._measure(self._settles, z) if self._settles else [None] * len(z)

    def _measure(self, metric: str, z: Tensor) -> list[float | None]:
        finite = torch.isfinite(z).flatten(1).all(1).tolist()
        if metric not in self._together:
            make = METRICS.get(metric).make
            return [
                make(from_logits(self.task, self.y, z[s].T.numpy(), self.mean, self.std, self.groups)) if ok else None
                for s, ok in enumerate(finite)
            ]
        found = self._together[metric](torch.nan_to_num(z.double())).tolist()
        return [value if ok else None for value, ok in zip(found, finite, strict=True)]

    def _area(self, z: Tensor) -> Tensor:
        """ROC-AUC by counting, for each negative row, the positive ones above it; ties count half."""
        margin = z[:, 1] - z[:, 0]  # not the probability: softmax ties all rows above a difference of 37
        yes = margin.index_select(1, self._yes).sort(dim=1).values
        no = margin.index_select(1, self._no).contiguous()
        below = torch.searchsorted(yes, no) + torch.searchsorted(yes, no, right=True)
        return 1.0 - below.double().sum(1) / (2.0 * yes.shape[1] * no.shape[1])

    def _right(self, z: Tensor) -> Tensor:
        return (torch.softmax(z, dim=1).argmax(1) == self._truth).double().mean(1)

    def _log_loss(self, z: Tensor) -> Tensor:
        right = torch.softmax(z, dim=1).gather(1, self._truth.expand(len(z), 1, -1)).squeeze(1)
        return -right.clamp_(min=torch.finfo(torch.float64).eps).log_().mean(1)

    def _rmse(self, z: Tensor) -> Tensor:
        return (z[:, 0] * float(self.std) + float(self.mean) - self._truth).square().mean(1).sqrt()
