"""The loss against rows of several labels: binary cross-entropy of each label, where yes and no may weigh differently."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor


class EachLabel:
    """Binary cross-entropy added up over the labels, mean over rows. Legend: B rows, C labels, S networks of a stack.

    A sum, as the soft loss of each label is one: alpha weighs both alike however many labels there are.
    """

    def __init__(self, weights: Tensor | None = None) -> None:
        self.weights = weights

    @classmethod
    def weighted(cls, class_weights: npt.NDArray[Any] | None) -> EachLabel:
        """Take weights of no and yes as they are computed. Shape: (C, 2)."""
        return cls(None if class_weights is None else torch.from_numpy(np.asarray(class_weights)))

    def __call__(self, outputs: Any, labels: Tensor, groups: Tensor | None = None) -> Tensor:
        z = outputs.logits
        if outputs.members is not None:
            z = outputs.members.flatten(0, 1)
            labels = labels.repeat_interleave(outputs.members.shape[1], dim=0)
        if self.weights is not None and self.weights.device != z.device:
            self.weights = self.weights.to(z.device)
        return self._each(z, labels, self._weigh(labels)).sum(1).mean()

    def _each(self, z: Tensor, labels: Tensor, weight: Tensor | None) -> Tensor:
        found = F.binary_cross_entropy_with_logits(z, labels.to(z.dtype), reduction="none")
        return found if weight is None else found * weight

    def _weigh(self, labels: Tensor, dim: int = 1) -> Tensor | None:
        """Look up what each answer weighs; labels lie along `dim`."""
        if self.weights is None:
            return None
        shape = [-1 if d == dim else 1 for d in range(labels.ndim)]
        no, yes = self.weights[:, 0].view(shape), self.weights[:, 1].view(shape)
        return torch.where(labels > 0.5, yes, no)

    def to(self, device: torch.device, dtype: torch.dtype) -> EachLabel:
        return self if self.weights is None else EachLabel(self.weights.to(device, dtype))

    def of_stack(self, z: Tensor, labels: Tensor) -> Tensor:
        return self._each(z, labels, self._weigh(labels)).sum(1)

    def stack_gradient(self, z: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
        d = torch.sigmoid(z).sub_(labels)
        if (own := self._weigh(labels)) is not None:
            d.mul_(own)
        return d.mul_(weight / z.shape[2])

    def reference(self, z: npt.NDArray[Any], y: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Sum over labels of log(1 + e^z) - y z. Shape: (B, C), (B, C) -> (B,)."""
        return np.asarray((np.logaddexp(0, z) - y.astype(np.float64) * z).sum(1))
