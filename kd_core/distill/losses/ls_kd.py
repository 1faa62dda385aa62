"""Soft labels of standardised logits: the student copies the shape of the teacher's answers, not their size."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from kd_core.distill.base import LOSSES, CooledGradient, WeightedSpec, share, strength
from kd_core.distill.losses.hinton import divergence
from kd_core.evaluate.soft_labels import log_soften
from kd_core.models.base import Outputs
from kd_core.specs import unit
from kd_core.task import CLASSIFICATION

# A row of (almost) equal logits has no shape to compare: below this deviation it is divided by this instead of by its own, near 0.
LEAST = 1e-3


class LSKDSpec(WeightedSpec):
    """Settings of distillation with logit standardisation."""

    alpha: float = share(0.9)
    weight: float = strength(10.0, "the paper's 0.1 and 9 are alpha 0.9 and weight 10")
    temperature: float = Field(
        2.0,
        ge=0.5,
        le=20,
        description="Softens both distributions after every row was brought to mean 0 and deviation 1.",
        json_schema_extra=unit("divides the logits", log=True),
    )


def standardised(z: Tensor) -> tuple[Tensor, Tensor]:
    """Bring every row to mean 0 and deviation 1 (over C - 1); return it and what it was divided by. Classes lie along dimension 1."""
    centred = z - z.mean(1, keepdim=True)
    deviation = (centred.square().sum(1, keepdim=True) / (z.shape[1] - 1)).clamp_min(LEAST**2).sqrt()
    return centred / deviation, deviation


class LSKDGradient(CooledGradient):
    """weight T² KL(p ‖ softmax(u / T)), u the standardised logits: its slope by u, then through the standardisation."""

    @staticmethod
    def table(z_teacher: Tensor, labels: Tensor, spec: LSKDSpec) -> Tensor:
        return torch.softmax(standardised(z_teacher)[0] / spec.temperature, dim=1)

    def slope(self, z: Tensor, told: Tensor) -> Tensor:
        u, deviation = standardised(z)
        d = torch.softmax(u * self.cooled, dim=1).sub_(told)
        along = (u * d).sum(1, keepdim=True).div_(z.shape[1] - 1).mul_(deviation > LEAST)
        return d.sub_(u.mul_(along)).mul_(deviation.reciprocal_().mul_(self.step / z.shape[2]))

    def losses(self, z: Tensor, told: Tensor) -> Tensor:
        return divergence(standardised(z)[0] * self.cooled, told).mean(1) / self.cooled.view(-1).square()


def reference(student: Any, teacher: Any, labels: Any, spec: LSKDSpec) -> Any:
    """T² KL(p ‖ q) of softmax(Z(z) / T), Z(z) = (z - mean) / deviation row by row. Source: arXiv:2403.01427, section 4."""

    def standard(z: Any) -> Any:
        deviation = np.maximum(z.std(axis=1, ddof=1, keepdims=True), LEAST)
        return (z - z.mean(axis=1, keepdims=True)) / deviation

    log_q, log_p = (log_soften(standard(o.logits), spec.temperature) for o in (student, teacher))
    return spec.temperature**2 * (np.exp(log_p) * (log_p - log_q)).sum(1).mean()


@LOSSES.register(
    "ls_kd",
    title="Soft labels of standardised logits",
    spec=LSKDSpec,
    source="arXiv:2403.01427",
    about="Every row's logits are first brought to mean 0 and deviation 1, the teacher's and the student's, so that the student learns the order and the proportions of the classes and may be more or less sure than its teacher.",
    formula=r"\begin{gathered} T^2 \sum_c p_c \log \frac{p_c}{q_c} \\ p = \mathrm{softmax}(\tilde z_t / T), \; q = \mathrm{softmax}(\tilde z_s / T) \\ \tilde z = \frac{z - \mathrm{mean}(z)}{\mathrm{std}(z)} \end{gathered}",
    tasks=CLASSIFICATION,
    needs=("three_classes",),
    because={
        "three_classes": "needs at least 3 classes: logit standardisation turns every two-class output into the same pair of numbers"
    },
    gradient=LSKDGradient,
    reference=reference,
    soft_labels=True,
    row_mean=True,
    zero_at_equality=True,
    shift_invariant=True,
    tempered=False,
)
def ls_kd(student: Outputs, teacher: Outputs, labels: Tensor, spec: LSKDSpec) -> Tensor:
    """T² KL(p_teacher ‖ p_student) of logits brought to mean 0 and deviation 1 in every row, mean over rows.

    The student may answer more or less surely than the teacher without being corrected. The deviation is that over C - 1, as in
    the authors' experiments. Shape: logits (N, C), C >= 3. Source: arXiv:2403.01427, section 4.
    """
    p = torch.softmax(standardised(teacher.logits)[0] / spec.temperature, dim=1)
    return divergence(standardised(student.logits)[0] / spec.temperature, p).mean() * spec.temperature**2
