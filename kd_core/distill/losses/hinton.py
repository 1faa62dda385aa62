"""Softened Kullback-Leibler divergence to the teacher: the classic distillation loss."""

from __future__ import annotations

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from kd_core.distill.base import LOSSES, LossSpec
from kd_core.models.base import Outputs
from kd_core.specs import CLASSIFICATION, unit


class HintonSpec(LossSpec):
    """Settings of classic distillation."""

    temperature: float = Field(
        2.0,
        ge=0.5,
        le=20,
        description="Softens both distributions; higher shows more of what the teacher thinks of the other classes.",
        json_schema_extra=unit("divides the logits", log=True),
    )


@LOSSES.register("hinton", title="Soft labels (KD)", spec=HintonSpec, source="arXiv:1503.02531", tasks=CLASSIFICATION)
def hinton(student: Outputs, teacher: Outputs, labels: Tensor, spec: HintonSpec) -> Tensor:
    """T² KL(p_teacher ‖ p_student) at temperature T: class sums, mean over rows.

    T² keeps the size of the gradient when T moves. Shape: logits (N, C). Source: arXiv:1503.02531, section 2.
    """
    log_student = F.log_softmax(student.logits / spec.temperature, dim=1)
    log_teacher = F.log_softmax(teacher.logits / spec.temperature, dim=1)
    return F.kl_div(log_student, log_teacher, reduction="batchmean", log_target=True) * spec.temperature**2
