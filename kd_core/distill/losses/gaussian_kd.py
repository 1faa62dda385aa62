"""Divergence between the teacher's number and the student's, both with a spread: what the student can't know counts less."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from kd_core.distill.base import LOSSES, LossSpec
from kd_core.models.base import Outputs
from kd_core.specs import unit
from kd_core.task import NUMERIC

START = math.log(
    math.e - 1
)  # softplus of it is 1: the deviation of a scaled target, of which a student knows nothing yet


class GaussianSpec(LossSpec):
    """Settings of Gaussian distillation."""

    spread: float = Field(
        0.3,
        ge=0.01,
        le=3,
        description="The deviation that the teacher's number is taken to have, the same for every row, as it gives none itself: small ones "
        "make the student follow each number closely.",
        json_schema_extra=unit("deviations of the target", log=True),
    )


def reference(student: Any, teacher: Any, labels: Any, spec: GaussianSpec, weights: Any) -> Any:
    """Mean of [log(s² / t²) + (t² + (student - teacher)²) / s² - 1] / 2, t the spread, s² = t² + softplus(w f + b). Source: arXiv:1506.04416."""
    own, theirs, least = student.logits[:, 0], teacher.logits[:, 0], spec.spread**2
    variance = least + np.logaddexp(0, student.features @ weights["weight"][0] + weights["bias"][0])
    return (np.log(variance / least) + (least + (own - theirs) ** 2) / variance - 1).mean() / 2


def module(spec: GaussianSpec, student: Outputs, teacher: Outputs) -> nn.Linear:
    """Make what turns a student's inner features into its spread."""
    assert student.features is not None
    made = nn.Linear(student.features.shape[1], 1)
    nn.init.constant_(made.bias, START)
    return made


@LOSSES.register(
    "gaussian_kd",
    title="The teacher's number, with a spread",
    spec=GaussianSpec,
    source="arXiv:1506.04416",
    about="The student also learns, row by row, how far off the teacher's number it usually is, and follows the teacher less closely where it can't do better. What it learned of the spread is left behind after training; the model that is taken home gives the number.",
    formula=r"\begin{gathered} \tfrac{1}{2} \left[ \log \frac{\sigma_s^2}{\sigma_t^2} + \frac{\sigma_t^2 + (z_s - z_t)^2}{\sigma_s^2} - 1 \right] \\ \sigma_s^2 = \sigma_t^2 + \mathrm{softplus}(w f_s + b) \end{gathered}",
    tasks=NUMERIC,
    needs=("student_features",),
    because={
        "student_features": "needs the student's inner features, from which it learns its spread: every student must have a hidden layer"
    },
    module=module,
    reference=reference,
    row_mean=True,
    zero_at_equality=False,
    shift_invariant=False,
)
def gaussian_kd(student: Outputs, teacher: Outputs, labels: Tensor, spec: GaussianSpec, own: nn.Module) -> Tensor:
    """Mean of KL(N(z_t, spread²) ‖ N(z_s, s²)), s² learned from the student's inner features by a layer that is dropped afterwards.

    Teachers give one number per row, so theirs is one spread for all rows, as in the source (there the noise of its likelihood). The student's
    can't be below it: the divergence is least where s² = spread² + the squared distance. A softplus holds it there in place of the
    source's exponential, which overflows. Shape: logits (N, 1), scaled.
    """
    assert student.features is not None
    least = spec.spread**2
    variance = least + F.softplus(own(student.features)[:, 0])
    away = (student.logits[:, 0] - teacher.logits[:, 0]).square()
    return (torch.log(variance / least) + (least + away) / variance - 1).mean() / 2
