"""Curriculum temperature: the temperature itself is learned, against the student, so that the lesson grows harder."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.distill.base import LOSSES, LossSpec, share
from kd_core.distill.losses.hinton import divergence
from kd_core.evaluate.soft_labels import log_soften
from kd_core.models.base import Outputs
from kd_core.specs import unit
from kd_core.task import CLASSIFICATION

START = 1.0  # of what is learned, in the paper's code: a temperature at 0.73 of the span


class CTKDSpec(LossSpec):
    """Settings of distillation with a curriculum temperature; alpha 0.9 is the paper's 0.1 for the labels and 0.9 for the teacher."""

    alpha: float = share(0.9)
    lowest: float = Field(
        1.0,
        ge=0.5,
        le=20,
        description="The lowest temperature that can be learned.",
        json_schema_extra=unit("divides the logits", advanced=True),
    )
    span: float = Field(
        20.0,
        ge=0.5,
        le=40,
        description="How far above the lowest the temperature can rise; it starts at 0.73 of it.",
        json_schema_extra=unit("divides the logits", advanced=True),
    )
    growth: int = Field(
        500,
        ge=1,
        le=100000,
        description="Batches over which the pull on the temperature grows from nothing to its full strength; the paper takes 10 epochs.",
        json_schema_extra=unit("batches", log=True, advanced=True),
    )

    @property
    def temperature(self) -> float:
        """Where the temperature starts, at which a placebo is as smooth as the teacher."""
        return self.lowest + self.span / (1.0 + math.exp(-START))


class _Reversed(torch.autograd.Function):
    """The same number forwards; backwards its gradient times -strength: who lowers the loss by all else raises it by this."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: Tensor) -> Tensor:
        ctx.save_for_backward(strength)
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (strength,) = ctx.saved_tensors
        return -strength * grads[0], None


class CurriculumTemperature(nn.Module):
    """T = lowest + span sigmoid(theta); theta climbs the loss, ever more strongly over the first batches (half a cosine)."""

    steps: Tensor

    def __init__(self, spec: CTKDSpec) -> None:
        super().__init__()
        self.lowest, self.span, self.growth = spec.lowest, spec.span, spec.growth
        self.theta = nn.Parameter(torch.tensor(START))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    @property
    def strength(self) -> Tensor:
        """How strongly the gradient is reversed now: 0 at first, 1 from batch `growth` on."""
        done = (self.steps / self.growth).clamp(max=1.0)
        return 0.5 - 0.5 * torch.cos(math.pi * done)

    def forward(self) -> Tensor:
        """Return the temperature of this batch, and count it."""
        theta: Any = _Reversed.apply(self.theta, self.strength)  # type: ignore[no-untyped-call]
        self.steps += 1
        found: Tensor = self.lowest + self.span * torch.sigmoid(theta)
        return found


def module(spec: CTKDSpec, student: Outputs, teacher: Outputs) -> CurriculumTemperature:
    """Make the temperature that is learned beside the student."""
    return CurriculumTemperature(spec)


def reference(student: Any, teacher: Any, labels: Any, spec: CTKDSpec, weights: Any) -> Any:
    """T² KL(p ‖ q), mean over rows, at T = lowest + span / (1 + exp(-theta)). Source: arXiv:2211.16231, section 3."""
    t = float(spec.lowest + spec.span / (1 + np.exp(-weights["theta"])))
    log_q, log_p = log_soften(student.logits, t), log_soften(teacher.logits, t)
    return t**2 * (np.exp(log_p) * (log_p - log_q)).sum(1).mean()


@LOSSES.register(
    "ctkd",
    title="Soft labels with a learned temperature (CTKD)",
    spec=CTKDSpec,
    source="arXiv:2211.16231",
    about="Soft labels at a temperature that is learned against the student: it moves to where the two are hardest to bring together, gently at first and with full strength later.",
    formula=r"\begin{gathered} \min_{s} \max_{T} \; T^2 \, \mathrm{KL}(p \,\|\, q) \\ p = \mathrm{softmax}(z_t / T) \\ q = \mathrm{softmax}(z_s / T) \end{gathered}",
    tasks=CLASSIFICATION,
    module=module,
    reference=reference,
    soft_labels=True,
    row_mean=True,
    zero_at_equality=True,
    shift_invariant=True,
)
def ctkd(
    student: Outputs, teacher: Outputs, labels: Tensor, spec: CTKDSpec, temperature: CurriculumTemperature
) -> Tensor:
    """T² KL(p_teacher ‖ p_student) at a temperature that is learned to raise what the student lowers, mean over rows.

    The temperature's gradient is reversed, by a factor that grows from 0 to 1. An optimiser that divides gradients by their size, such
    as AdamW, feels less of that growth than the paper's, which follows them as they are. Shape: logits (N, C). Source: arXiv:2211.16231.
    """
    t: Tensor = temperature()
    p = torch.softmax(teacher.logits / t, dim=1)
    return divergence(student.logits / t, p).mean() * t.square()
