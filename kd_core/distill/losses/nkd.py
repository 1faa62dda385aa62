"""Normalised distillation: the labels' own loss weighed by the teacher's trust, and the other classes compared among themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from kd_core.distill.base import LOSSES, Gradient, LossSpec, share
from kd_core.distill.target_and_rest import log_rest, log_rest_array, others
from kd_core.evaluate.soft_labels import log_soften
from kd_core.models.base import Outputs
from kd_core.specs import unit
from kd_core.task import CLASSIFICATION


class NKDSpec(LossSpec):
    """Settings of normalised distillation; alpha 0.5 is the paper's equal weight of labels and teacher."""

    alpha: float = share(0.5)
    temperature: float = Field(
        1.0,
        ge=0.5,
        le=20,
        description="Softens how the other classes share what is left; the true class is never softened.",
        json_schema_extra=unit("divides the logits", log=True),
    )
    gamma: float = Field(
        1.5,
        ge=0,
        le=20,
        description="How much it counts how the teacher ranks the other classes.",
        json_schema_extra=unit("times"),
    )


class NKDGradient(Gradient):
    """weight (-b log softmax(z)[true] - gamma T² sum rest log rest_s).

    Its table holds the rest, the teacher's share b of the true class in the true class's place, and the true class as a last column.
    """

    def __init__(
        self, specs: Sequence[NKDSpec], weights: Sequence[float], column: Callable[[Sequence[float]], Tensor]
    ) -> None:
        self.cooled = column([1.0 / s.temperature for s in specs])
        self.among = column([s.gamma * s.temperature for s in specs])
        self.squared = column([s.gamma * s.temperature**2 for s in specs])
        self.weight = column(weights)

    @staticmethod
    def key(spec: NKDSpec) -> float:
        return spec.temperature

    @staticmethod
    def table(z_teacher: Tensor, labels: Tensor, spec: NKDSpec) -> Tensor:
        true = labels[:, None]
        trust = torch.softmax(z_teacher, dim=1).gather(1, true)
        rest = torch.softmax(others(z_teacher / spec.temperature, true), dim=1).scatter(1, true, trust)
        return torch.cat([rest, true.to(rest.dtype)], dim=1)

    def slope(self, z: Tensor, told: Tensor) -> Tensor:
        rest, true = told[:, :-1], told[:, -1:].long()
        trust, q = rest.gather(1, true), torch.softmax(z, dim=1)
        pull = q.gather(1, true).sub_(1.0).mul_(trust)
        d = torch.softmax((z * self.cooled).scatter_(1, true, -torch.inf), dim=1).sub_(rest).mul_(self.among)
        return d.add_(q.mul_(trust)).scatter_(1, true, pull).mul_(self.weight / z.shape[2])

    def losses(self, z: Tensor, told: Tensor) -> Tensor:
        rest, true = told[:, :-1], told[:, -1:].long()
        own = torch.log_softmax(z, dim=1).gather(1, true) * rest.gather(1, true)
        among = (rest * log_rest(z * self.cooled, true)).sum(1, keepdim=True)
        return -(own + self.squared * among).mean((1, 2))


def reference(student: Any, teacher: Any, labels: Any, spec: NKDSpec) -> Any:
    """-p_y log q_y at T 1, - gamma T² sum p' log q' of the other classes' shares at T, mean over rows. Source: arXiv:2303.13005."""
    rows = np.arange(len(labels))
    log_q, log_p = log_soften(student.logits)[rows, labels], log_soften(teacher.logits)[rows, labels]
    rest_q, _ = log_rest_array(student.logits, labels, spec.temperature)
    rest_p, _ = log_rest_array(teacher.logits, labels, spec.temperature)
    among = (np.exp(rest_p) * rest_q).sum(1)
    return -(np.exp(log_p) * log_q + spec.gamma * spec.temperature**2 * among).mean()


@LOSSES.register(
    "nkd",
    title="Normalised soft labels (NKD)",
    spec=NKDSpec,
    source="arXiv:2303.13005",
    about="The true class is taught with the teacher's own share of it, and the other classes by how the teacher shares out what is left. Rows keep pulling to their label, so the curve does not end at 0.",
    formula=r"\begin{gathered} - p_y^t \log p_y^s - \gamma T^2 \sum_{c \neq y} \hat p_c^t \log \hat p_c^s \\ \hat p_c = \frac{p_c}{1 - p_y} \text{ at temperature } T \end{gathered}",
    tasks=CLASSIFICATION,
    needs=("three_classes",),
    because={
        "three_classes": "needs at least 3 classes: it compares the wrong classes with each other, and with two there is only one"
    },
    gradient=NKDGradient,
    reference=reference,
    soft_labels=True,
    row_mean=True,
    zero_at_equality=False,
    shift_invariant=True,
    tempered=True,
)
def nkd(student: Outputs, teacher: Outputs, labels: Tensor, spec: NKDSpec) -> Tensor:
    """Cross-entropy with the true class times the teacher's share of it, + gamma T² cross-entropy among the others, mean over rows.

    Its part among the others is that of `dkd` but for a constant. It does not end at 0: a row keeps pulling to its label.
    Shape: logits (N, C), C >= 3, labels (N,). Source: arXiv:2303.13005, section 3.
    """
    true = labels[:, None]
    trust = torch.softmax(teacher.logits, dim=1).gather(1, true)
    own = torch.log_softmax(student.logits, dim=1).gather(1, true) * trust
    rest = torch.softmax(others(teacher.logits / spec.temperature, true), dim=1)
    among = (rest * log_rest(student.logits / spec.temperature, true)).sum(1, keepdim=True)
    return -(own + spec.gamma * spec.temperature**2 * among).mean()
