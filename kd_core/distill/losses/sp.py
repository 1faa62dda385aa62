"""Similarity-preserving: rows that are alike to the teacher should be alike to the student."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from kd_core.distill.base import LOSSES, WeightedSpec, share, strength
from kd_core.distill.inner.relations import related, related_reference
from kd_core.models.base import Outputs


class SPSpec(WeightedSpec):
    """Settings of similarity-preserving distillation."""

    alpha: float = share(0.5)
    weight: float = strength(3000.0, "3,000 in the paper")


def reference(student: Any, teacher: Any, labels: Any, spec: SPSpec) -> Any:
    """‖G_t - G_s‖² / B², G = F Fᵀ with rows of length 1. Source: arXiv:1907.09682, equations 2 to 4."""

    def term(own: Any, theirs: Any) -> Any:
        g_s, g_t = own @ own.T, theirs @ theirs.T
        g_s, g_t = (g / np.linalg.norm(g, axis=1, keepdims=True) for g in (g_s, g_t))
        return ((g_s - g_t) ** 2).sum() / len(own) ** 2

    return related_reference(student, teacher, term)


@LOSSES.register(
    "sp",
    title="Likeness of rows (similarity-preserving)",
    spec=SPSpec,
    source="arXiv:1907.09682",
    about="Rows that look alike to the teacher's inner features are to look alike to the student's: the tables of likeness of all pairs in a batch are compared.",
    formula=r"\begin{gathered} \frac{1}{B^2} \| \bar G_s - \bar G_t \|^2 \\ G = F F^\top, \text{ rows of length 1} \end{gathered}",
    needs=("teacher_features", "student_features"),
    reference=reference,
    doubled=0.5,
    zero_at_equality=True,
    shift_invariant=True,
)
def sp(student: Outputs, teacher: Outputs, labels: Tensor, spec: SPSpec) -> Tensor:
    """Mean squared difference of the two tables of likeness F Fᵀ of a batch, each row of them brought to length 1.

    Of a teacher of several folds, rows of one fold are compared. Shape: features (B, D) and (B, E). Source: arXiv:1907.09682.
    """
    return related(student, teacher, _term)


def _term(own: Tensor, theirs: Tensor) -> Tensor:
    g_s, g_t = (F.normalize(f @ f.T, dim=1) for f in (own, theirs))
    return (g_s - g_t).square().mean()
