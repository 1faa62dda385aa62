"""Correlation congruence: a Gaussian kernel of every two rows should be the same in the student as in the teacher."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from kd_core.distill.base import LOSSES, WeightedSpec, share, strength
from kd_core.distill.inner.relations import related, related_reference
from kd_core.models.base import Outputs
from kd_core.specs import unit


class CCSpec(WeightedSpec):
    """Settings of correlation congruence."""

    alpha: float = share(0.5)
    weight: float = strength(100.0, "100 is usual")
    gamma: float = Field(
        0.4,
        ge=0.01,
        le=10,
        description="How fast the kernel falls with distance.",
        json_schema_extra=unit("per squared distance", log=True, advanced=True),
    )
    order: int = Field(
        2,
        ge=1,
        le=6,
        description="Order of the kernel's Taylor series.",
        json_schema_extra=unit("terms", advanced=True),
    )


def reference(student: Any, teacher: Any, labels: Any, spec: CCSpec) -> Any:
    """Sum (K_t - K_s)² / B², K(x, y) = sum over p of exp(-2 gamma) (2 gamma)^p / p! (x · y)^p, rows of length 1.

    Source: arXiv:1904.01802, equations 5, 9 and 10.
    """

    def kernel(f: Any) -> Any:
        f = f / np.linalg.norm(f, axis=1, keepdims=True)
        each = [(2 * spec.gamma) ** p / math.factorial(p) * (f @ f.T) ** p for p in range(spec.order + 1)]
        return math.exp(-2 * spec.gamma) * sum(each)

    def term(own: Any, theirs: Any) -> Any:
        return ((kernel(own) - kernel(theirs)) ** 2).sum() / len(own) ** 2

    return related_reference(student, teacher, term)


@LOSSES.register(
    "cc",
    title="Correlation of rows (correlation congruence)",
    spec=CCSpec,
    source="arXiv:1904.01802",
    about="How rows of a batch resemble each other, by a kernel of their inner features, is to be the same for student and teacher.",
    formula=r"\begin{gathered} \frac{1}{B^2} \| K_s - K_t \|^2 \\ K_{ij} = e^{-\gamma \| f_i - f_j \|^2}, \text{ rows of length 1} \end{gathered}",
    needs=("teacher_features", "student_features"),
    reference=reference,
    doubled=1.0,
    zero_at_equality=True,
    shift_invariant=True,
)
def cc(student: Outputs, teacher: Outputs, labels: Tensor, spec: CCSpec) -> Tensor:
    """Mean squared difference of the kernel exp(-gamma ‖x - y‖²) of every two rows of length 1, by its Taylor series.

    Of rows of length 1, exp(-gamma ‖x - y‖²) = exp(-2 gamma) exp(2 gamma x · y); the series has the terms up to `order`. Of a teacher
    of several folds, rows of one fold are compared. The usual weight is that of later comparisons.
    Shape: features (B, D) and (B, E). Source: arXiv:1904.01802, equations 9 and 10.
    """

    def kernel(f: Tensor) -> Tensor:
        f = F.normalize(f, dim=1)
        near = f @ f.T
        found = sum((2 * spec.gamma) ** p / math.factorial(p) * near**p for p in range(spec.order + 1))
        return math.exp(-2 * spec.gamma) * found  # type: ignore[return-value]

    return related(student, teacher, lambda own, theirs: (kernel(own) - kernel(theirs)).square().mean())
