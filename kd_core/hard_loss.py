"""What every loss against the labels is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class HardLoss(Protocol):
    """The loss against the labels. Legend: B rows, C outputs, S networks of a stack.

    `weights`: of the classes, None where all count the same or there are none. A loss that is neither cross-entropy nor squared
    error brings `reference(z, y[, groups])`, its formula in numpy float64, with which the laws compare it: row by row, or one
    number where rows of a group are compared.
    """

    weights: Tensor | None  # (C,), or (C, 2) of the no and the yes of each label

    def __call__(self, outputs: Any, labels: Tensor, groups: Tensor | None = None) -> Tensor:
        """Return the mean over rows; members of an ensemble learn separately: their losses are averaged, not their answers.

        `groups`: numbers of the rows' groups, for a task that deals by group. Shape: labels (B,) or (B, T), groups (B,).
        """
        ...

    def to(self, device: torch.device, dtype: torch.dtype) -> HardLoss:
        """Return the same loss with its weights on a device, as numbers of a type."""
        ...

    def of_stack(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return every row's loss. Shape: z (S, C, B), labels (S, B) or (S, T, B) -> (S, B)."""
        ...

    def stack_gradient(self, z: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
        """Return d loss / d logits of the mean over rows, times each network's weight.

        Shape: z (S, C, B), labels (S, 1, B) or (S, T, B), weight (S, 1, 1) -> (S, C, B).
        """
        ...
