"""Cross-entropy against the teacher's softened classes: what KD gives, told on the scale of the loss against labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from kd_core.distill.base import LOSSES
from kd_core.distill.losses.hinton import HintonGradient, HintonSpec
from kd_core.evaluate.soft_labels import log_soften
from kd_core.models.base import Outputs
from kd_core.task import ANY_CLASSES


class SoftCESpec(HintonSpec):
    """Settings of soft cross-entropy."""


class SoftCEGradient(HintonGradient):
    """weight x T² x cross-entropy, whose slope is that of the divergence: the teacher's own entropy has none."""

    def losses(self, z: Tensor, told: Tensor) -> Tensor:
        each = F.cross_entropy(z * self.cooled, told, reduction="none")
        return each.mean(1) / self.cooled.view(-1).square()


def reference(student: Any, teacher: Any, labels: Any, spec: SoftCESpec) -> Any:
    """-T² sum p log q, mean over rows. Source: arXiv:1503.02531, section 2."""
    log_q, log_p = log_soften(student.logits, spec.temperature), log_soften(teacher.logits, spec.temperature)
    return -(spec.temperature**2) * (np.exp(log_p) * log_q).sum(1).mean()


@LOSSES.register(
    "soft_ce",
    title="Cross-entropy with soft labels",
    spec=SoftCESpec,
    source="arXiv:1503.02531",
    about="The teacher's softened probabilities take the place of the label in the usual cross-entropy. It teaches what soft labels (KD) teach; the curve only does not end at 0, since the teacher's own doubt stays in it.",
    formula=r"\begin{gathered} -T^2 \sum_c p_c \log q_c \\ p = \mathrm{softmax}(z_t / T) \\ q = \mathrm{softmax}(z_s / T) \end{gathered}",
    tasks=ANY_CLASSES,
    gradient=SoftCEGradient,
    reference=reference,
    soft_labels=True,
    row_mean=True,
    zero_at_equality=False,
    shift_invariant=True,
    tempered=True,
)
def soft_ce(student: Outputs, teacher: Outputs, labels: Tensor, spec: SoftCESpec) -> Tensor:
    """T² x cross-entropy of the student's softened classes against the teacher's, mean over rows.

    It teaches what `hinton` teaches: the two differ by the teacher's entropy, so the curve does not end at 0.
    Shape: logits (N, C). Source: arXiv:1503.02531, section 2.
    """
    p = torch.softmax(teacher.logits / spec.temperature, dim=1)
    return F.cross_entropy(student.logits / spec.temperature, p) * spec.temperature**2
