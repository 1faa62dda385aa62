"""Probabilistic transfer: to each row, the others are near with some probability, and the student's should be the teacher's."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from kd_core.distill.base import LOSSES, WeightedSpec, share, strength
from kd_core.distill.inner.relations import related, related_reference
from kd_core.models.base import Outputs

SMALLEST = 1e-7  # nearness: that of two rows that point in opposite directions is 0, which has no logarithm


class PKTSpec(WeightedSpec):
    """Settings of probabilistic knowledge transfer."""

    alpha: float = share(0.5)
    weight: float = strength(30000.0, "30,000 is usual")


def reference(student: Any, teacher: Any, labels: Any, spec: PKTSpec) -> Any:
    """Sum p_t log(p_t / p_s) / B², p = (cos + 1) / 2 of two rows as a share of its row. Source: arXiv:1803.10837, equations 6 to 8."""

    def shares(f: Any) -> Any:
        f = f / np.linalg.norm(f, axis=1, keepdims=True)
        near = np.maximum((f @ f.T + 1) / 2, SMALLEST)
        return near / near.sum(1, keepdims=True)

    def term(own: Any, theirs: Any) -> Any:
        p_s, p_t = shares(own), shares(theirs)
        return (p_t * np.log(p_t / p_s)).sum() / len(own) ** 2

    return related_reference(student, teacher, term)


@LOSSES.register(
    "pkt",
    title="Nearness of rows as probabilities (PKT)",
    spec=PKTSpec,
    source="arXiv:1803.10837",
    about="For every row of a batch, how likely each other row is its neighbour is compared between teacher and student.",
    formula=r"\begin{gathered} \frac{1}{B^2} \sum_{i, j} p_{j|i} \log \frac{p_{j|i}}{q_{j|i}} \\ p_{j|i} \propto \tfrac{1}{2} (\cos(f_i, f_j) + 1) \end{gathered}",
    needs=("teacher_features", "student_features"),
    reference=reference,
    doubled=0.5,
    zero_at_equality=True,
    shift_invariant=True,
)
def pkt(student: Outputs, teacher: Outputs, labels: Tensor, spec: PKTSpec) -> Tensor:
    """KL(p_t ‖ p_s) of the shares that the rows of a batch have in each row's nearness, (cosine + 1) / 2, over B².

    A row is compared with itself as well, as the usual weight supposes. Of a teacher of several folds, rows of one fold are compared.
    Shape: features (B, D) and (B, E). Source: arXiv:1803.10837.
    """
    return related(student, teacher, _term)


def _term(own: Tensor, theirs: Tensor) -> Tensor:
    p_s, p_t = _shares(own), _shares(theirs)
    return (p_t * torch.log(p_t / p_s)).mean()


def _shares(f: Tensor) -> Tensor:
    f = F.normalize(f, dim=1)
    near = ((f @ f.T + 1) / 2).clamp(min=SMALLEST)
    return near / near.sum(1, keepdim=True)
