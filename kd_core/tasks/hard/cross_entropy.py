"""The loss against classes: cross-entropy, where classes may weigh differently."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor


class CrossEntropy:
    """Cross-entropy, mean over rows. Legend: B rows, C classes, S networks of a stack."""

    def __init__(self, weights: Tensor | None = None) -> None:
        self.weights = weights

    @classmethod
    def weighted(cls, class_weights: npt.NDArray[Any] | None) -> CrossEntropy:
        """Take weights of classes as they are computed. Shape: (C,)."""
        return cls(None if class_weights is None else torch.from_numpy(np.asarray(class_weights)))

    def __call__(self, outputs: Any, labels: Tensor, groups: Tensor | None = None) -> Tensor:
        z = outputs.logits
        if outputs.members is not None:
            z = outputs.members.flatten(0, 1)
            labels = labels.repeat_interleave(outputs.members.shape[1])
        if self.weights is None:
            return F.cross_entropy(z, labels)
        if self.weights.device != z.device:
            self.weights = self.weights.to(z.device)
        # A batch's sum of weights varies; dividing by it would count the same row differently from batch to batch.
        return (F.cross_entropy(z, labels, reduction="none") * self.weights[labels]).mean()

    def to(self, device: torch.device, dtype: torch.dtype) -> CrossEntropy:
        return self if self.weights is None else CrossEntropy(self.weights.to(device, dtype))

    def of_stack(self, z: Tensor, labels: Tensor) -> Tensor:
        loss = F.cross_entropy(z, labels, reduction="none")
        return loss if self.weights is None else loss * self.weights[labels]

    def stack_gradient(self, z: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
        d = torch.softmax(z, dim=1)
        d.scatter_(1, labels, -1.0, reduce="add")
        if self.weights is not None:
            d.mul_(self.weights.index_select(0, labels.reshape(-1)).view(labels.shape))
        return d.mul_(weight / z.shape[2])
