"""The loss against a number: squared error of the scaled target."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


class SquaredError:
    """Squared error of the one output, mean over rows."""

    weights: Tensor | None = None

    def __call__(self, outputs: Any, labels: Tensor, groups: Tensor | None = None) -> Tensor:
        if outputs.members is None:
            return F.mse_loss(outputs.logits[:, 0], labels)
        members = outputs.members[..., 0]
        return F.mse_loss(members, labels[:, None].expand_as(members))

    def to(self, device: torch.device, dtype: torch.dtype) -> SquaredError:
        return self

    def of_stack(self, z: Tensor, labels: Tensor) -> Tensor:
        return (z[:, 0] - labels.to(z.dtype)).square()

    def stack_gradient(self, z: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
        return (z - labels.to(z.dtype)).mul_(weight * (2.0 / z.shape[2]))
