"""Weighted soft labels: a row that the student knows better than the teacher learns less from the teacher."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from kd_core.distill.base import LOSSES, WeightedSpec, share, strength
from kd_core.distill.losses.hinton import divergence
from kd_core.evaluate.soft_labels import log_soften
from kd_core.models.base import Outputs
from kd_core.specs import unit
from kd_core.task import CLASSIFICATION

LEAST = 1e-7  # the loss of a teacher that is sure and right, by which the student's is divided


class WSLDSpec(WeightedSpec):
    """Settings of weighted soft labels; alpha 0.5 with weight 2.25 is the paper's 1 for the labels and 2.25 for the teacher."""

    alpha: float = share(0.5)
    weight: float = strength(2.25, "the paper's 1 and 2.25 are alpha 0.5 and weight 2.25")
    temperature: float = Field(
        4.0,
        ge=0.5,
        le=20,
        description="Softens both distributions; the weights of the rows are not softened.",
        json_schema_extra=unit("divides the logits", log=True),
    )


def reference(student: Any, teacher: Any, labels: Any, spec: WSLDSpec, held: Any) -> Any:
    """T² (1 - exp(-CE_s / CE_t)) KL(p ‖ q), mean over rows; CE at T 1, CE_s of `held`. Source: arXiv:2102.00650, section 4."""
    rows = np.arange(len(labels))
    ce_s, ce_t = (-log_soften(o.logits)[rows, labels] for o in (held, teacher))
    log_q, log_p = log_soften(student.logits, spec.temperature), log_soften(teacher.logits, spec.temperature)
    weights = 1 - np.exp(-ce_s / np.maximum(ce_t, LEAST))
    return spec.temperature**2 * (weights * (np.exp(log_p) * (log_p - log_q)).sum(1)).mean()


@LOSSES.register(
    "wsld",
    title="Weighted soft labels (WSLD)",
    spec=WSLDSpec,
    source="arXiv:2102.00650",
    about="Soft labels whose rows are weighed: a row counts much where the student is worse than the teacher, and little where the teacher is wrong and the student already right. It suits teachers with mistakes of their own.",
    formula=r"\begin{gathered} \left( 1 - e^{-\mathrm{CE}_s / \mathrm{CE}_t} \right) T^2 \, \mathrm{KL}(p \,\|\, q) \\ \mathrm{CE} \text{ with the label, at } T = 1 \end{gathered}",
    tasks=CLASSIFICATION,
    reference=reference,
    held=True,
    soft_labels=True,
    row_mean=True,
    zero_at_equality=True,
    shift_invariant=True,
    tempered=True,
)
def wsld(student: Outputs, teacher: Outputs, labels: Tensor, spec: WSLDSpec) -> Tensor:
    """T² KL(p_teacher ‖ p_student), each row times 1 - exp(-CE_student / CE_teacher), mean over rows.

    CE is the cross-entropy with the label at temperature 1; the weights send no gradient. Helps with teachers that are wrong on rows
    which the student gets right. Shape: logits (N, C), labels (N,). Source: arXiv:2102.00650, section 4.
    """
    own = F.cross_entropy(student.logits.detach(), labels, reduction="none")
    theirs = F.cross_entropy(teacher.logits, labels, reduction="none").clamp_min(LEAST)
    p = torch.softmax(teacher.logits / spec.temperature, dim=1)
    each = divergence(student.logits / spec.temperature, p)
    return (-torch.expm1(-own / theirs) * each).mean() * spec.temperature**2
