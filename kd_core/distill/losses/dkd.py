"""Decoupled distillation: the true class and the others are taught apart, so that a sure teacher still shows what resembles what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from kd_core.distill.base import LOSSES, Gradient, LossSpec, share
from kd_core.distill.target_and_rest import log_rest, log_rest_array, odds, others
from kd_core.evaluate.soft_labels import log_soften
from kd_core.models.base import Outputs
from kd_core.specs import unit
from kd_core.task import CLASSIFICATION


class DKDSpec(LossSpec):
    """Settings of decoupled distillation; alpha 0.5 is the paper's equal weight of labels and teacher."""

    alpha: float = share(0.5)
    temperature: float = Field(
        4.0,
        ge=0.5,
        le=20,
        description="Softens both distributions; higher shows more of what the teacher thinks of the other classes.",
        json_schema_extra=unit("divides the logits", log=True),
    )
    target: float = Field(
        1.0,
        ge=0,
        le=20,
        description="How much it counts how sure the teacher is of the true class (the paper's alpha).",
        json_schema_extra=unit("times", advanced=True),
    )
    beta: float = Field(
        8.0,
        ge=0,
        le=20,
        description="How much it counts how the teacher ranks the other classes; published values go from 0.5 to 8.",
        json_schema_extra=unit("times"),
    )


def surety(own: Tensor, theirs: Tensor) -> Tensor:
    """Return KL between shares of the true class, sigmoid(theirs) ‖ sigmoid(own), from log odds. Shape: any, kept."""
    found = torch.zeros_like(own)
    for sign in (1.0, -1.0):
        p = torch.sigmoid(sign * theirs)
        found = found + p * (F.logsigmoid(sign * theirs) - F.logsigmoid(sign * own))
    return found


class DKDGradient(Gradient):
    """weight T² (target KL(b ‖ b_s) + beta KL(rest ‖ rest_s)); r = target (b_s - b) pulls the true class, -r the others by their share.

    Its table holds the rest, the log odds of the true class in the true class's place, and the true class as a last column.
    """

    def __init__(
        self, specs: Sequence[DKDSpec], weights: Sequence[float], column: Callable[[Sequence[float]], Tensor]
    ) -> None:
        self.cooled = column([1.0 / s.temperature for s in specs])
        self.step = column([w * s.temperature for w, s in zip(weights, specs, strict=True)])
        self.target, self.beta = column([s.target for s in specs]), column([s.beta for s in specs])

    @staticmethod
    def key(spec: DKDSpec) -> float:
        return spec.temperature

    @staticmethod
    def table(z_teacher: Tensor, labels: Tensor, spec: DKDSpec) -> Tensor:
        z, true = z_teacher / spec.temperature, labels[:, None]
        rest = torch.softmax(others(z, true), dim=1).scatter(1, true, odds(z, true))
        return torch.cat([rest, true.to(z.dtype)], dim=1)

    def slope(self, z: Tensor, told: Tensor) -> Tensor:
        told = told.contiguous()
        rest, true = told[:, :-1], told[:, -1:].long()
        z = z * self.cooled
        own, theirs = z.gather(1, true), rest.gather(1, true)
        z.scatter_(1, true, -torch.inf)  # softmax and logsumexp of the others in one go
        top = z.amax(1, keepdim=True)
        d = z.sub_(top).exp_()
        total = d.sum(1, keepdim=True)
        pull = torch.sigmoid(own.sub_(top).sub_(total.log())).sub_(torch.sigmoid(theirs)).mul_(self.target)
        d.mul_((self.beta - pull).div_(total)).sub_(rest * self.beta)
        return d.scatter_(1, true, pull).mul_(self.step / z.shape[2])

    def losses(self, z: Tensor, told: Tensor) -> Tensor:
        rest, true = told[:, :-1], told[:, -1:].long()
        z = z * self.cooled
        sure = surety(odds(z, true), rest.gather(1, true)).squeeze(1)
        ranked = F.kl_div(log_rest(z, true), rest.scatter(1, true, 0.0), reduction="none").sum(1)
        found = self.target.view(-1, 1) * sure + self.beta.view(-1, 1) * ranked
        return found.mean(1) / self.cooled.view(-1).square()


def reference(student: Any, teacher: Any, labels: Any, spec: DKDSpec) -> Any:
    """T² (target KL of (p_y, 1 - p_y) + beta KL of the other classes' shares), mean over rows. Source: arXiv:2203.08679, section 3."""
    t = spec.temperature
    log_q, log_p = log_soften(student.logits, t), log_soften(teacher.logits, t)
    rest_q, places = log_rest_array(student.logits, labels, t)
    rest_p, _ = log_rest_array(teacher.logits, labels, t)

    def two(log: Any) -> tuple[Any, Any]:
        left = np.take_along_axis(log, places, axis=1)
        return log[np.arange(len(labels)), labels], np.logaddexp.reduce(left, axis=1)

    target = sum(np.exp(p) * (p - q) for p, q in zip(two(log_p), two(log_q), strict=True))
    rest = (np.exp(rest_p) * (rest_p - rest_q)).sum(1)
    return t**2 * (spec.target * target + spec.beta * rest).mean()


@LOSSES.register(
    "dkd",
    title="Decoupled soft labels (DKD)",
    spec=DKDSpec,
    source="arXiv:2203.08679",
    about="Soft labels taken apart: how sure the teacher is of the true class, and how it ranks the others. The second part, which a sure teacher hides, gets a weight of its own.",
    formula=r"\begin{gathered} T^2 \left[ a \, \mathrm{KL}(b_t \,\|\, b_s) + \beta \, \mathrm{KL}(\hat p_t \,\|\, \hat p_s) \right] \\ b = (p_y,\; 1 - p_y), \quad \hat p_c = \frac{p_c}{1 - p_y}, \; c \neq y \end{gathered}",
    tasks=CLASSIFICATION,
    needs=("three_classes",),
    because={
        "three_classes": "needs at least 3 classes: it teaches how the teacher ranks the wrong classes, and with two there is only one"
    },
    gradient=DKDGradient,
    reference=reference,
    soft_labels=True,
    row_mean=True,
    zero_at_equality=True,
    shift_invariant=True,
    tempered=True,
)
def dkd(student: Outputs, teacher: Outputs, labels: Tensor, spec: DKDSpec) -> Tensor:
    """T² (target x divergence of the true class against the rest + beta x divergence among the rest), mean over rows.

    KL is the first plus (1 - p_teacher[true]) times the second: a sure teacher says little of the rest there. The paper lets the term
    grow over 20 epochs. Shape: logits (N, C), C >= 3, labels (N,). Source: arXiv:2203.08679, section 3.
    """
    z_s, z_t, true = student.logits / spec.temperature, teacher.logits / spec.temperature, labels[:, None]
    sure = surety(odds(z_s, true), odds(z_t, true)).squeeze(1)
    rest = torch.softmax(others(z_t, true), dim=1)
    ranked = F.kl_div(log_rest(z_s, true), rest, reduction="none").sum(1)
    return (spec.target * sure + spec.beta * ranked).mean() * spec.temperature**2
