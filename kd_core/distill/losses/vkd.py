"""Orthogonal projection: the student's features keep their angles on the way to the teacher's, so that all is learned in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kd_core.distill.base import LOSSES, WeightedSpec, share, strength
from kd_core.models.base import Outputs

SMALLEST_VARIANCE = 1e-5  # of a row of features, as layer normalisation has it


class VkDSpec(WeightedSpec):
    """Settings of distillation over an orthogonal projection."""

    alpha: float = share(0.5)
    weight: float = strength(1.0, "of our own choice")


class Orthogonal(nn.Module):
    """A linear map whose matrix has columns (or rows, where it narrows) at right angles and of length 1, wherever learning moves it.

    The matrix is the Q of a free one's QR decomposition, its signs chosen so that R's diagonal is positive and Q therefore unique.
    Shape: (B, D) -> (B, E).
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.free = nn.Parameter(torch.empty(max(before, after), min(before, after)))
        self.widens = after >= before
        nn.init.normal_(self.free)

    def forward(self, x_BD: Tensor) -> Tensor:
        free = self.free.to(torch.promote_types(self.free.dtype, torch.float32))  # nobody decomposes bfloat16
        q, r = torch.linalg.qr(free)
        q = (q * r.diagonal().sign()).to(x_BD.dtype)
        found: Tensor = x_BD @ (q.T if self.widens else q)
        return found


def projector(spec: VkDSpec, student: Outputs, teacher: Outputs) -> nn.Module:
    """Map the student's features to the teacher's width."""
    assert student.features is not None and teacher.features is not None
    return Orthogonal(student.features.shape[1], teacher.features.shape[1])


def reference(student: Any, teacher: Any, labels: Any, spec: VkDSpec, weights: Any) -> Any:
    """Mean smooth-L1(P f_s - layer-normalised f_t), PᵀP = I. Source: arXiv:2403.06213, sections 3.1 and 3.2."""
    q, r = np.linalg.qr(weights["free"])
    q = q * np.sign(np.diag(r))
    own = student.features @ (q.T if teacher.features.shape[1] >= student.features.shape[1] else q)
    told = teacher.features - teacher.features.mean(1, keepdims=True)
    told = told / np.sqrt((told**2).mean(1, keepdims=True) + SMALLEST_VARIANCE)
    far = np.abs(own - told)
    return np.where(far < 1, far**2 / 2, far - 0.5).mean()


@LOSSES.register(
    "vkd",
    title="Inner features over an orthogonal projection (VkD)",
    spec=VkDSpec,
    source="arXiv:2403.06213",
    about="The student's inner features are turned, without being stretched, into the room of the teacher's and drawn to them there: what is not learned by the turning has to be learned by the student.",
    formula=r"\begin{gathered} \mathrm{H}(P f_s - \mathrm{norm}(f_t)) \\ P^\top P = I, \; \mathrm{H} \text{ is smooth L1} \end{gathered}",
    needs=("teacher_features", "one_basis", "student_features"),
    module=projector,
    reference=reference,
    row_mean=True,
    zero_at_equality=False,
    shift_invariant=True,
)
def vkd(student: Outputs, teacher: Outputs, labels: Tensor, spec: VkDSpec, module: nn.Module) -> Tensor:
    """Mean smooth-L1 distance of the student's projected features to the teacher's layer-normalised ones, over rows and features.

    A free projector can learn what the student should; one at right angles can only turn, so the student learns it itself.
    The paper writes the matrix as an exponential, here it is a QR factor: the same set of matrices.
    Shape: features (B, D) and (B, E). Source: arXiv:2403.06213.
    """
    assert teacher.features is not None
    told = F.layer_norm(teacher.features, teacher.features.shape[1:], eps=SMALLEST_VARIANCE)
    return F.smooth_l1_loss(module(student.features), told)
