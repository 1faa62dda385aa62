"""Squared distance to the teacher's answer: the predicted number, or the logits of all classes about their mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from kd_core.distill.base import LOSSES, Gradient, LossSpec
from kd_core.models.base import Outputs
from kd_core.task import NOT_BY_ORDER
from kd_core.tasks.hard.squared_error import SquaredError


def of_classes(z: Tensor, labels: Tensor) -> bool:
    """Say whether one class is the answer to a row: only then a number added to all its logits says nothing. Shape: z (N, C)."""
    return z.shape[1] > 1 and labels.dim() == 1 and not labels.is_floating_point()


class MSEGradient(Gradient):
    """weight x mean (z - z_teacher)², of classes the difference about its mean over a row.

    Its table is the teacher's answers; that of classes is one column wider, by which the other two tell them.
    """

    hard = LossSpec()
    hard_loss = SquaredError

    def __init__(
        self, specs: Sequence[LossSpec], weights: Sequence[float], column: Callable[[Sequence[float]], Tensor]
    ) -> None:
        self.weight = column(weights)

    @staticmethod
    def table(z_teacher: Tensor, labels: Tensor, spec: LossSpec) -> Tensor:
        return F.pad(z_teacher, (0, 1)) if of_classes(z_teacher, labels) else z_teacher

    @staticmethod
    def away(z: Tensor, told: Tensor) -> Tensor:
        """Return how far answers are from what is told. Shape: z (S, C, B), told (S, C or C + 1, B) -> (S, C, B)."""
        found = z - told[:, : z.shape[1]]
        return found if told.shape[1] == z.shape[1] else found.sub_(found.mean(1, keepdim=True))

    def slope(self, z: Tensor, told: Tensor) -> Tensor:
        return self.away(z, told).mul_(self.weight * (2.0 / z[0].numel()))

    def losses(self, z: Tensor, told: Tensor) -> Tensor:
        return self.away(z, told).square().mean((1, 2))


def reference(student: Any, teacher: Any, labels: Any, spec: LossSpec) -> Any:
    """Mean (student - teacher)², of classes with each row's logits less their mean. Source: arXiv:1312.6184; arXiv:1503.02531, section 2.1."""
    own, theirs = student.logits, teacher.logits
    if own.shape[1] > 1 and labels.ndim == 1 and labels.dtype.kind in "iu":
        own, theirs = (z - z.mean(axis=1, keepdims=True) for z in (own, theirs))
    return ((own - theirs) ** 2).mean()


@LOSSES.register(
    "mse",
    title="Distance to the teacher",
    spec=LossSpec,
    source="arXiv:1312.6184",
    about="The student is drawn to the number that the teacher predicts, by the squared distance. A good teacher's number has less noise than the label. Of classes it is the logits, each row's less their mean.",
    formula=r"(z_s - z_t)^2",
    gradient=MSEGradient,
    reference=reference,
    tasks=NOT_BY_ORDER,
    because={"task": "compares scores of different groups, which say nothing beside each other"},
    row_mean=True,
    zero_at_equality=True,
    shift_invariant=True,
)
def mse(student: Outputs, teacher: Outputs, labels: Tensor, spec: LossSpec) -> Tensor:
    """Mean squared difference between student and teacher over rows and outputs. Units: the scaled target, or logits.

    With classes the student copies the logits themselves, their size included: what the divergence comes to at very high temperatures,
    when each row's logits are brought to mean 0 first (arXiv:1503.02531, section 2.1). A teacher that gives probabilities has their
    logarithms for logits, which lie the further below 0 the more classes there are (by 11 on average with 77), and a small network
    spends its training on that offset, which says nothing. Source: arXiv:1312.6184.
    """
    away = student.logits - teacher.logits
    if of_classes(away, labels):
        away = away - away.mean(1, keepdim=True)
    return away.square().mean()
