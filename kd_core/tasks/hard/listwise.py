"""Softmax cross-entropy over the rows of a group: the better a row's grade, the larger the share of the list that it should get."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from kd_core.tasks.gains import gains

Array = npt.NDArray[Any]


class ListwiseSoftmax:
    """Cross-entropy of softmax(scores) within a group to the shares of its gains, mean over the groups with any gain.

    Source: arXiv:1911.09798 (Bruch 2021, XE-NDCG without its noise), after Cao et al. 2007, ListNet, whose own shares, softmax of the
    grades, give irrelevant rows a part as well.
    """

    weights: Tensor | None = None

    def __call__(self, outputs: Any, labels: Tensor, groups: Tensor | None = None) -> Tensor:
        """Return the mean over groups; members of an ensemble learn separately. Shape: labels, groups (B,)."""
        number = (
            torch.zeros_like(labels, dtype=torch.int64)
            if groups is None
            else torch.unique(groups, return_inverse=True)[1]
        )
        z = outputs.logits[:, 0] if outputs.members is None else outputs.members[..., 0].T
        count, dtype = int(number.max()) + 1, z.dtype
        gain = gains(labels.to(dtype))
        total = torch.zeros(count, dtype=dtype, device=z.device).index_add(0, number, gain)
        share = gain / total.clamp(min=torch.finfo(dtype).tiny)[number]
        where = number.expand_as(z)
        highest = torch.full((*z.shape[:-1], count), -torch.inf, dtype=dtype, device=z.device)
        highest = highest.scatter_reduce(-1, where, z.detach(), "amax")
        z = z - highest.gather(-1, where)
        log_sum = torch.zeros_like(highest).scatter_add(-1, where, z.exp()).log()
        lists = (total > 0).sum().clamp(min=1)
        found: Tensor = (share * (log_sum.gather(-1, where) - z)).sum(-1).mean() / lists
        return found

    @staticmethod
    def reference(z: Array, y: Array, groups: Array) -> float:
        """Return the formula in float64, one number. Shape: z, y, groups (N,)."""
        found = []
        for one in np.unique(groups):
            s, gain = z[groups == one], gains(y[groups == one].astype(np.float64))
            if gain.sum() > 0:
                found.append(float((gain / gain.sum()) @ (np.logaddexp.reduce(s) - s)))
        return float(np.mean(found)) if found else 0.0

    def to(self, device: torch.device, dtype: torch.dtype) -> ListwiseSoftmax:
        """Return itself: it holds no numbers."""
        return self

    def of_stack(self, z: Tensor, labels: Tensor) -> Tensor:
        """Refuse: in a stack rows stand alone (`distill/stack/stackable`)."""
        raise NotImplementedError("rows of a group are compared, and a stack deals them one by one")

    def stack_gradient(self, z: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
        """Refuse, as `of_stack` does."""
        return self.of_stack(z, labels)
