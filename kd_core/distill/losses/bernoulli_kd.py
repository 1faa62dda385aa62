"""Softened Kullback-Leibler divergence of every label by itself, where a row may have several labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from kd_core.distill.base import LOSSES, CooledGradient
from kd_core.distill.losses.hinton import HintonSpec
from kd_core.models.base import Outputs
from kd_core.task import EACH_ALONE


class BernoulliGradient(CooledGradient):
    """weight T² sum KL(Bernoulli(p) ‖ Bernoulli(sigmoid(z / T))), whose slope is weight T (sigmoid(z / T) - p) / B."""

    @staticmethod
    def table(z_teacher: Tensor, labels: Tensor, spec: HintonSpec) -> Tensor:
        return z_teacher / spec.temperature

    def slope(self, z: Tensor, told: Tensor) -> Tensor:
        return torch.sigmoid(z * self.cooled).sub_(torch.sigmoid(told)).mul_(self.step / z.shape[2])

    def losses(self, z: Tensor, told: Tensor) -> Tensor:
        return divergence(z * self.cooled, told).mean(1) / self.cooled.view(-1).square()


def divergence(z: Tensor, z_teacher: Tensor) -> Tensor:
    """Return KL(Bernoulli(sigmoid(z_teacher)) ‖ Bernoulli(sigmoid(z))) of each label, added up over labels, which lie along dimension 1."""
    p = torch.sigmoid(z_teacher)
    yes = p * (F.logsigmoid(z_teacher) - F.logsigmoid(z))
    no = (1 - p) * (F.logsigmoid(-z_teacher) - F.logsigmoid(-z))
    return (yes + no).sum(1)


def reference(student: Any, teacher: Any, labels: Any, spec: HintonSpec) -> Any:
    """T² sum over labels of p log(p / q) + (1 - p) log((1 - p) / (1 - q)), mean over rows. Source: arXiv:2308.06453."""
    z, t = student.logits / spec.temperature, teacher.logits / spec.temperature
    yes, no = (-np.logaddexp(0, -t), -np.logaddexp(0, -z)), (-np.logaddexp(0, t), -np.logaddexp(0, z))
    each = sum(np.exp(told) * (told - own) for told, own in (yes, no))
    return spec.temperature**2 * each.sum(1).mean()


@LOSSES.register(
    "bernoulli_kd",
    title="Soft labels, each label by itself",
    spec=HintonSpec,
    source="arXiv:2308.06453",
    about="For rows that may have several labels at once: the student follows how sure the teacher is of every single label, softened by a temperature. Labels do not compete, as classes of which one is right do.",
    formula=r"\begin{gathered} T^2 \sum_k p_k \log \frac{p_k}{q_k} + (1 - p_k) \log \frac{1 - p_k}{1 - q_k} \\ p = \sigma(z_t / T) \quad q = \sigma(z_s / T) \end{gathered}",
    tasks=EACH_ALONE,
    because={
        "task": "works where a row may have several labels at once, each a yes or no of its own; where one answer excludes the others, soft labels (hinton) say the same"
    },
    gradient=BernoulliGradient,
    reference=reference,
    soft_labels=True,
    row_mean=True,
    zero_at_equality=True,
    shift_invariant=False,
    tempered=True,
)
def bernoulli_kd(student: Outputs, teacher: Outputs, labels: Tensor, spec: HintonSpec) -> Tensor:
    """T² KL of every label's yes or no at temperature T: sum over labels, mean over rows.

    Of two classes with a logit each, log odds z1 - z0 in the place of z make it `hinton` to the last bit, so it is not offered there.
    Shape: logits (N, K), log odds of each label. Source: arXiv:2308.06453; T² as arXiv:1503.02531.
    """
    return divergence(student.logits / spec.temperature, teacher.logits / spec.temperature).mean() * spec.temperature**2
