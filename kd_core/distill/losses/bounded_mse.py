"""Squared distance to the teacher, only where the student is not already better than the teacher."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field
from torch import Tensor

from kd_core.distill.base import LOSSES, LossSpec
from kd_core.models.base import Outputs
from kd_core.specs import unit
from kd_core.task import NUMERIC


class BoundedMSESpec(LossSpec):
    """Settings of teacher-bounded regression."""

    margin: float = Field(
        0.0,
        ge=0,
        le=10,
        description="The teacher is followed where the student's squared error plus this exceeds the teacher's.",
        json_schema_extra=unit("squared scaled target", advanced=True),
    )


def reference(student: Any, teacher: Any, labels: Any, spec: BoundedMSESpec) -> Any:
    """Mean of (student - teacher)² where (student - y)² + margin > (teacher - y)², else 0."""
    own, theirs = student.logits[:, 0], teacher.logits[:, 0]
    behind = (own - labels) ** 2 + spec.margin > (theirs - labels) ** 2
    return np.where(behind, (own - theirs) ** 2, 0.0).mean()


@LOSSES.register(
    "bounded_mse",
    title="Distance to the teacher where it helps",
    spec=BoundedMSESpec,
    source="Chen et al. 2017, Learning Efficient Object Detection Models with Knowledge Distillation",
    about="The student is drawn to the teacher's number only where it is further from the truth than the teacher; where it is already better, the teacher is not followed.",
    formula=r"\begin{gathered} g \, (z_s - z_t)^2 \\ g = \left[ (z_s - y)^2 + m > (z_t - y)^2 \right] \end{gathered}",
    tasks=NUMERIC,
    reference=reference,
    row_mean=True,
    zero_at_equality=True,
    shift_invariant=False,
)
def bounded_mse(student: Outputs, teacher: Outputs, labels: Tensor, spec: BoundedMSESpec) -> Tensor:
    """Mean over all rows of the squared difference to the teacher, 0 where student error + margin <= teacher error.

    The gate is that of Chen et al. 2017 (section 3.3); they then pull towards the label, which the hard
    loss does here already, so the gated pull goes to the teacher.
    Shape: logits (N, 1), labels (N,), both scaled.
    """
    own, theirs, truth = student.logits[:, 0], teacher.logits[:, 0], labels
    behind = (own.detach() - truth) ** 2 + spec.margin > (theirs - truth) ** 2
    return ((own - theirs) ** 2 * behind).mean()
