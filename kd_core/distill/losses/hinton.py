"""Softened Kullback-Leibler divergence to the teacher: the classic distillation loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from kd_core.distill.base import LOSSES, CooledGradient, LossSpec
from kd_core.evaluate.soft_labels import log_soften
from kd_core.models.base import Outputs
from kd_core.specs import unit
from kd_core.task import ANY_CLASSES
from kd_core.tasks.hard.cross_entropy import CrossEntropy


class HintonSpec(LossSpec):
    """Settings of classic distillation."""

    temperature: float = Field(
        2.0,
        ge=0.5,
        le=20,
        description="Softens both distributions; higher shows more of what the teacher thinks of the other classes.",
        json_schema_extra=unit("divides the logits", log=True),
    )


class HintonGradient(CooledGradient):
    """weight T² KL(p ‖ softmax(z / T)), whose slope is weight T (softmax(z / T) - p) / B."""

    hard = HintonSpec(temperature=1.0)
    hard_loss = CrossEntropy

    @staticmethod
    def table(z_teacher: Tensor, labels: Tensor, spec: HintonSpec) -> Tensor:
        return torch.softmax(z_teacher / spec.temperature, dim=1)

    def slope(self, z: Tensor, told: Tensor) -> Tensor:
        return torch.softmax(z * self.cooled, dim=1).sub_(told).mul_(self.step / z.shape[2])

    def losses(self, z: Tensor, told: Tensor) -> Tensor:
        return divergence(z * self.cooled, told).mean(1) / self.cooled.view(-1).square()


def divergence(z: Tensor, p: Tensor) -> Tensor:
    """Return KL(p ‖ softmax(z)), row by row; classes lie along dimension 1."""
    return F.kl_div(torch.log_softmax(z, dim=1), p, reduction="none").sum(1)


def reference(student: Any, teacher: Any, labels: Any, spec: HintonSpec) -> Any:
    """T² sum p log(p / q), mean over rows. Source: arXiv:1503.02531, section 2."""
    log_q, log_p = log_soften(student.logits, spec.temperature), log_soften(teacher.logits, spec.temperature)
    return spec.temperature**2 * (np.exp(log_p) * (log_p - log_q)).sum(1).mean()


@LOSSES.register(
    "hinton",
    title="Soft labels (KD)",
    spec=HintonSpec,
    source="arXiv:1503.02531",
    about="The student follows the teacher's probabilities for all classes, softened by a temperature, so that it also learns which wrong answers are nearly right. The plain method, and hard to beat.",
    formula=r"\begin{gathered} T^2 \sum_c p_c \log \frac{p_c}{q_c} \\ p = \mathrm{softmax}(z_t / T) \\ q = \mathrm{softmax}(z_s / T) \end{gathered}",
    tasks=ANY_CLASSES,
    gradient=HintonGradient,
    reference=reference,
    soft_labels=True,
    row_mean=True,
    zero_at_equality=True,
    shift_invariant=True,
    tempered=True,
)
def hinton(student: Outputs, teacher: Outputs, labels: Tensor, spec: HintonSpec) -> Tensor:
    """T² KL(p_teacher ‖ p_student) at temperature T: class sums, mean over rows.

    T² keeps the size of the gradient when T moves. Shape: logits (N, C). Source: arXiv:1503.02531, section 2.
    """
    p = torch.softmax(teacher.logits / spec.temperature, dim=1)
    return divergence(student.logits / spec.temperature, p).mean() * spec.temperature**2
