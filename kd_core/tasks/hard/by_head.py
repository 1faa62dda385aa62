"""The loss against several tasks' labels: the mean over heads of each head's own loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


class ByHead:
    """Cross-entropy of class heads and squared error of scaled numbers, mean over heads, then over rows.

    Every head weighs the same, whatever its number of classes: a nat of one counts as much as a squared deviation of another. A label
    that is not known (NaN) adds 0 to its row, so a head known for half of the rows moves the shared layers half as much.
    Legend: B rows, C logits, T heads, S networks of a stack. `heads`: slice of the logits and whether it names classes.
    """

    weights: Tensor | None = None

    def __init__(self, heads: Sequence[tuple[slice, bool]]) -> None:
        self.heads = tuple(heads)

    def __call__(self, outputs: Any, labels: Tensor, groups: Tensor | None = None) -> Tensor:
        z = outputs.logits
        if outputs.members is not None:
            z = outputs.members.flatten(0, 1)
            labels = labels.repeat_interleave(outputs.members.shape[1], dim=0)
        return self._rows(z, labels).mean()

    def _rows(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return every row's loss. Shape: z (B, C), labels (B, T) -> (B,)."""
        total = torch.zeros_like(z[:, 0])
        for at, (columns, classes) in enumerate(self.heads):
            y = labels[:, at]
            known = ~y.isnan()
            own, y = z[:, columns], torch.where(known, y, torch.zeros_like(y))
            each = F.cross_entropy(own, y.long(), reduction="none") if classes else (own[:, 0] - y).square()
            total = total + torch.where(known, each, torch.zeros_like(each))
        return total / len(self.heads)

    def to(self, device: torch.device, dtype: torch.dtype) -> ByHead:
        return self

    def of_stack(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return every row's loss. Shape: z (S, C, B), labels (S, T, B) -> (S, B)."""
        flat = self._rows(z.transpose(1, 2).flatten(0, 1), labels.transpose(1, 2).flatten(0, 1))
        return flat.view(z.shape[0], z.shape[2])

    def stack_gradient(self, z: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
        """Return d loss / d logits of the mean over rows. Shape: z (S, C, B), labels (S, T, B), weight (S, 1, 1) -> (S, C, B)."""
        found = torch.zeros_like(z)
        for at, (columns, classes) in enumerate(self.heads):
            y = labels[:, at : at + 1]
            known = ~y.isnan()
            y = torch.where(known, y, torch.zeros_like(y))
            if classes:
                own = torch.softmax(z[:, columns], dim=1)
                own.scatter_(1, y.long(), -1.0, reduce="add")
            else:
                own = (z[:, columns] - y) * 2.0
            found[:, columns] = torch.where(known, own, torch.zeros_like(own))
        return found.mul_(weight / (z.shape[2] * len(self.heads)))

    def reference(self, z: Any, y: Any) -> Any:
        """Return every row's loss in numpy float64: mean over heads of -log softmax(z)[y] or (z - y)², 0 where y is NaN."""
        total = np.zeros(len(z))
        for at, (columns, classes) in enumerate(self.heads):
            known = np.flatnonzero(~np.isnan(y[:, at]))
            own, told = np.asarray(z, np.float64)[known][:, columns], np.asarray(y[known, at], np.float64)
            if classes:
                log_p = own - np.logaddexp.reduce(own, axis=1, keepdims=True)
                total[known] -= log_p[np.arange(len(own)), told.astype(int)]
            else:
                total[known] += (own[:, 0] - told) ** 2
        return total / len(self.heads)
