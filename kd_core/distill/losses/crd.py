"""Contrast within a batch: a row's features in the student should be told from other rows' by the teacher's, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from kd_core.distill.base import LOSSES, WeightedSpec, share, strength
from kd_core.models.base import Outputs
from kd_core.specs import unit


class CRDSpec(WeightedSpec):
    """Settings of contrastive distillation."""

    alpha: float = share(0.5)
    weight: float = strength(0.8, "0.8 in the paper")
    tau: float = Field(
        0.07,
        ge=0.01,
        le=1,
        description="Divides likeness: lower looks at the nearest other rows only.",
        json_schema_extra=unit("divides cosines", log=True, advanced=True),
    )
    width: int = Field(
        128,
        ge=2,
        le=1024,
        description="Numbers that both sides' features are mapped to.",
        json_schema_extra=unit("numbers", log=True, advanced=True),
    )


class Embedding(nn.Module):
    """A linear map for each side, into one space."""

    def __init__(self, student: int, teacher: int, width: int) -> None:
        super().__init__()
        self.student, self.teacher = nn.Linear(student, width), nn.Linear(teacher, width)


def embedding(spec: CRDSpec, student: Outputs, teacher: Outputs) -> nn.Module:
    """Map both sides to one width."""
    assert student.features is not None and teacher.features is not None
    return Embedding(student.features.shape[1], teacher.features.shape[1], spec.width)


def reference(student: Any, teacher: Any, labels: Any, spec: CRDSpec, weights: Any) -> Any:
    """-mean log softmax(s tᵀ / tau) of a row's own place, over rows and over columns, added up.

    Source: arXiv:1910.10699 with the loss of arXiv:1807.03748, equation 4, in the place of its noise contrast.
    """

    def embedded(side: str, f: Any) -> Any:
        found = f @ weights[f"{side}.weight"].T + weights[f"{side}.bias"]
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    near = embedded("student", student.features) @ embedded("teacher", teacher.features).T / spec.tau
    found = 0.0
    for z in (near, near.T):
        z = z - z.max(1, keepdims=True)
        found -= np.diag(z - np.log(np.exp(z).sum(1, keepdims=True))).mean()
    return found


@LOSSES.register(
    "crd",
    title="Contrast within a batch (InfoNCE, after CRD)",
    spec=CRDSpec,
    source="arXiv:1910.10699",
    about="The student's features of a row are to be told apart from those of all other rows as the teacher's are: near to the teacher's of the same row, far from the others'.",
    formula=r"\begin{gathered} -\log \frac{e^{c_{ii} / \tau}}{\sum_j e^{c_{ij} / \tau}} - \log \frac{e^{c_{ii} / \tau}}{\sum_j e^{c_{ji} / \tau}} \\ c_{ij} = \cos(g(f_s^i), h(f_t^j)) \end{gathered}",
    needs=("teacher_features", "one_basis", "student_features"),
    module=embedding,
    reference=reference,
    doubled=(1.0, 2.0),
    zero_at_equality=False,
    shift_invariant=True,
)
def crd(student: Outputs, teacher: Outputs, labels: Tensor, spec: CRDSpec, module: Embedding) -> Tensor:
    """InfoNCE of the two sides' embedded features: which of the batch's rows is this one, asked from either side.

    CRD contrasts a row with 16,384 others from a memory of all rows by noise-contrastive estimation. Here the others are those of the
    batch and the loss is InfoNCE, which needs no memory: a bound of the same mutual information, looser with small batches. The
    embeddings learn beside the student and are dropped.
    Shape: features (B, D) and (B, E). Source: arXiv:1910.10699, arXiv:1807.03748.
    """
    own = F.normalize(module.student(student.features), dim=1)
    theirs = F.normalize(module.teacher(teacher.features), dim=1)
    near = own @ theirs.T / spec.tau
    same = torch.arange(len(near), device=near.device)
    return F.cross_entropy(near, same) + F.cross_entropy(near.T, same)
