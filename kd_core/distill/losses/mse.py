"""Squared distance to the teacher's prediction, for regression."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from kd_core.distill.base import LOSSES, LossSpec
from kd_core.models.base import Outputs
from kd_core.task import NUMERIC


@LOSSES.register("mse", title="Distance to the teacher", spec=LossSpec, source="arXiv:1312.6184", tasks=NUMERIC)
def mse(student: Outputs, teacher: Outputs, labels: Tensor, spec: LossSpec) -> Tensor:
    """Mean squared difference between student and teacher. Units: the scaled target. Source: arXiv:1312.6184."""
    return F.mse_loss(student.logits, teacher.logits)
