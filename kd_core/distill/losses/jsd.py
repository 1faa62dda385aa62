"""Generalised Jensen-Shannon divergence: between covering all that the teacher thinks likely and avoiding what it thinks unlikely."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from kd_core.distill.base import LOSSES
from kd_core.distill.losses.hinton import HintonSpec
from kd_core.evaluate.soft_labels import log_soften
from kd_core.models.base import Outputs
from kd_core.specs import unit
from kd_core.task import ANY_CLASSES

END = 1e-3  # nearer to 0 or 1 the quotient of two small numbers loses its digits, and its limit is taken


class JSDSpec(HintonSpec):
    """Settings of the generalised Jensen-Shannon divergence."""

    beta: float = Field(
        0.5,
        ge=0,
        le=1,
        description="0 is the usual divergence, which covers all that the teacher thinks likely; 1 is the reverse one, which avoids what the teacher thinks unlikely.",
        json_schema_extra=unit("0..1"),
    )


def reference(student: Any, teacher: Any, labels: Any, spec: JSDSpec) -> Any:
    """T² / (beta (1 - beta)) (beta KL(p ‖ m) + (1 - beta) KL(q ‖ m)), m = beta p + (1 - beta) q; at the ends KL(p ‖ q) and KL(q ‖ p)."""
    log_q, log_p = log_soften(student.logits, spec.temperature), log_soften(teacher.logits, spec.temperature)

    def kl(log_a: Any, log_b: Any) -> Any:
        return (np.exp(log_a) * (log_a - log_b)).sum(1).mean()

    b = spec.beta
    if b in (0.0, 1.0):
        return spec.temperature**2 * (kl(log_q, log_p) if b else kl(log_p, log_q))
    log_m = np.log(b * np.exp(log_p) + (1 - b) * np.exp(log_q))
    return spec.temperature**2 / (b * (1 - b)) * (b * kl(log_p, log_m) + (1 - b) * kl(log_q, log_m))


@LOSSES.register(
    "jsd",
    title="Jensen-Shannon divergence",
    spec=JSDSpec,
    source="arXiv:2306.13649",
    about="A divergence between two: at one end the student covers all that the teacher thinks likely, at the other it avoids what the teacher thinks unlikely. It is bounded by both, so single wild rows count for less.",
    formula=r"\begin{gathered} \frac{T^2}{\beta (1 - \beta)} \left[ \beta \, \mathrm{KL}(p \,\|\, m) + (1 - \beta) \, \mathrm{KL}(q \,\|\, m) \right] \\ m = \beta p + (1 - \beta) q \end{gathered}",
    tasks=ANY_CLASSES,
    reference=reference,
    soft_labels=True,
    row_mean=True,
    zero_at_equality=True,
    shift_invariant=True,
    tempered=True,
)
def jsd(student: Outputs, teacher: Outputs, labels: Tensor, spec: JSDSpec) -> Tensor:
    """T² / (beta (1 - beta)) x generalised Jensen-Shannon divergence of p_teacher and p_student, mean over rows.

    The paper's divergence is beta KL(p ‖ m) + (1 - beta) KL(q ‖ m), m = beta p + (1 - beta) q, p the teacher's. It shrinks to 0 at
    both ends; divided by beta (1 - beta) it keeps the size of its slope, and its ends are the two Kullback-Leibler divergences.
    Shape: logits (N, C). Source: arXiv:2306.13649, section 2.
    """
    log_q = torch.log_softmax(student.logits / spec.temperature, dim=1)
    log_p = torch.log_softmax(teacher.logits / spec.temperature, dim=1)
    b = spec.beta
    if b < END:
        found = _divergence(log_p, log_q)
    elif b > 1 - END:
        found = _divergence(log_q, log_p)
    else:
        log_m = torch.logaddexp(log_p + math.log(b), log_q + math.log1p(-b))
        found = _divergence(log_p, log_m) / (1 - b) + _divergence(log_q, log_m) / b
    return found * spec.temperature**2


def _divergence(log_a: Tensor, log_b: Tensor) -> Tensor:
    return (log_a.exp() * (log_a - log_b)).sum(1).mean()
