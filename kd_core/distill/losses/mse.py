"""Squared distance to the teacher's answer: the predicted number, or the logits of all classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from kd_core.distill.base import LOSSES, Gradient, LossSpec
from kd_core.models.base import Outputs
from kd_core.tasks.hard.squared_error import SquaredError


class MSEGradient(Gradient):
    """weight x mean (z - z_teacher)²."""

    hard = LossSpec()
    hard_loss = SquaredError

    def __init__(
        self, specs: Sequence[LossSpec], weights: Sequence[float], column: Callable[[Sequence[float]], Tensor]
    ) -> None:
        self.weight = column(weights)

    def slope(self, z: Tensor, told: Tensor) -> Tensor:
        return (z - told).mul_(self.weight * (2.0 / z[0].numel()))

    def losses(self, z: Tensor, told: Tensor) -> Tensor:
        return (z - told).square().mean((1, 2))


def reference(student: Any, teacher: Any, labels: Any, spec: LossSpec) -> Any:
    """Mean (student - teacher)². Source: arXiv:1312.6184."""
    return ((student.logits - teacher.logits) ** 2).mean()


@LOSSES.register(
    "mse",
    title="Distance to the teacher",
    spec=LossSpec,
    source="arXiv:1312.6184",
    about="The student is drawn to the number that the teacher predicts, by the squared distance. A good teacher's number has less noise than the label.",
    formula=r"(z_s - z_t)^2",
    gradient=MSEGradient,
    reference=reference,
    row_mean=True,
    zero_at_equality=True,
    shift_invariant=False,
)
def mse(student: Outputs, teacher: Outputs, labels: Tensor, spec: LossSpec) -> Tensor:
    """Mean squared difference between student and teacher over rows and outputs. Units: the scaled target, or logits.

    With classes the student copies the logits themselves, their size and offset included: what the divergence comes to at very high
    temperatures (arXiv:2105.08919), without softening. Source: arXiv:1312.6184.
    """
    return F.mse_loss(student.logits, teacher.logits)
