"""Multi-level distillation: rows at several temperatures, what rows resemble each other, and what classes do."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from kd_core.distill.base import LOSSES, LossSpec, share
from kd_core.distill.losses.hinton import divergence
from kd_core.evaluate.soft_labels import log_soften, soften
from kd_core.models.base import Outputs
from kd_core.specs import unit
from kd_core.task import CLASSIFICATION

# The levels of batch and classes grow with a batch and with its square: in one of 512 rows they would drown all else. They are brought
# to the weight that they have in the paper's batches.
PUBLISHED_ROWS = 64


def _level(description: str) -> Any:
    return Field(1.0, ge=0, le=20, description=description, json_schema_extra=unit("times", advanced=True))


class MLKDSpec(LossSpec):
    """Settings of multi-level distillation; alpha 0.5 is the paper's equal weight of labels and teacher."""

    alpha: float = share(0.5)
    temperatures: tuple[Annotated[float, Field(ge=0.5, le=20)], ...] = Field(
        (2.0, 3.0, 4.0, 5.0, 6.0),
        min_length=1,
        max_length=20,
        description="Temperatures at which teacher and student are compared, all at once.",
        json_schema_extra=unit("divides the logits", log=True),
    )
    rows: float = _level("How much the answers to single rows count.")
    batch: float = _level("How much it counts which rows of a batch are answered alike.")
    classes: float = _level("How much it counts which classes are likely together.")
    heard: float = Field(
        1.0,
        ge=0.1,
        le=1,
        description="Share of a batch whose single rows are heard: those of which the teacher is least sure; 1 hears all.",
        json_schema_extra=unit("share of rows", advanced=True),
    )

    @property
    def temperature(self) -> float:
        """The mean temperature, at which a placebo is as smooth as the teacher."""
        return sum(self.temperatures) / len(self.temperatures)


def reference(student: Any, teacher: Any, labels: Any, spec: MLKDSpec) -> Any:
    """Sum over T of T² KL (mean over rows), ‖PPᵀ - QQᵀ‖² / B and ‖PᵀP - QᵀQ‖² / C, each with its weight. Source: CVPR 2023, section 3.

    The second is multiplied by 64 / B and the third by (64 / B)²: as published for 64 rows.
    """
    sure = soften(teacher.logits).max(1)
    heard = sure <= np.quantile(sure, spec.heard)
    found = 0.0
    for t in spec.temperatures:
        log_q, log_p = log_soften(student.logits, t), log_soften(teacher.logits, t)
        p, q = np.exp(log_p), np.exp(log_q)
        found += spec.rows * t**2 * (heard * (p * (log_p - log_q)).sum(1)).mean()
        found += spec.batch * ((p @ p.T - q @ q.T) ** 2).sum() / len(p) * (64 / len(p))
        found += spec.classes * ((p.T @ p - q.T @ q) ** 2).sum() / p.shape[1] * (64 / len(p)) ** 2
    return found


@LOSSES.register(
    "mlkd",
    title="Rows, batches and classes at several temperatures (MLKD)",
    spec=MLKDSpec,
    source="Jin et al. 2023 (CVPR), Multi-Level Logit Distillation",
    about="Teacher and student are compared at several temperatures at once, row by row, and also by how alike the rows of a batch and the classes look to each of them.",
    formula=r"\begin{gathered} \sum_T \Big[ T^2 \, \mathrm{KL}(p \,\|\, q) \\ + \frac{1}{B} \| P P^\top - Q Q^\top \|^2 \\ + \frac{1}{C} \| P^\top P - Q^\top Q \|^2 \Big] \end{gathered}",
    tasks=CLASSIFICATION,
    reference=reference,
    soft_labels=True,
    doubled=1.0,
    zero_at_equality=True,
    shift_invariant=True,
)
def mlkd(student: Outputs, teacher: Outputs, labels: Tensor, spec: MLKDSpec) -> Tensor:
    """Sum over temperatures of T² KL over rows, ‖PPᵀ - QQᵀ‖² / B over pairs of rows and ‖PᵀP - QᵀQ‖² / C over pairs of classes.

    The paper compares two views of a picture, one of them strongly augmented, and trains twice as long. Here there is one view, so
    this is its loss without that augmentation. Rows may be left out by the teacher's confidence: `heard`.
    A batch twice as large would multiply the second part by 2 and the third by 4; both are brought to batches of 64 rows, as published.
    Shape: logits (N, C). Source: the paper, section 3.
    """
    scale = PUBLISHED_ROWS / len(student.logits)
    sure = torch.softmax(teacher.logits.float(), dim=1).amax(1)
    heard = sure <= torch.quantile(sure, spec.heard)
    found = student.logits.new_zeros(())
    for t in spec.temperatures:
        p, q = torch.softmax(teacher.logits / t, dim=1), torch.softmax(student.logits / t, dim=1)
        found = found + spec.rows * t**2 * (divergence(student.logits / t, p) * heard).mean()
        found = found + spec.batch * scale * (p @ p.T - q @ q.T).square().sum() / len(p)
        found = found + spec.classes * scale**2 * (p.T @ p - q.T @ q).square().sum() / p.shape[1]
    return found
