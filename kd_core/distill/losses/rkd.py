"""Relational distillation: distances between rows, and angles between three, should be those that the teacher sees."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from kd_core.distill.base import LOSSES, WeightedSpec, share, strength
from kd_core.distill.inner.relations import related, related_reference
from kd_core.models.base import Outputs
from kd_core.specs import unit

ANGLE_ROWS = 64  # of a batch, for angles: their number grows with its cube (128 rows have 2 million, 64 have 250,000)
SMALLEST = 1e-12  # squared distance: copies of a row lie in one place, and a root has no slope there


class RKDSpec(WeightedSpec):
    """Settings of relational distillation."""

    alpha: float = share(0.5)
    weight: float = strength(1.0, "1: distances and angles have weights of their own")
    distances: float = Field(
        25.0,
        ge=0,
        le=1000,
        description="Weight of distances between two rows.",
        json_schema_extra=unit("times", advanced=True),
    )
    angles: float = Field(
        50.0,
        ge=0,
        le=1000,
        description="Weight of angles between three rows.",
        json_schema_extra=unit("times", advanced=True),
    )


def reference(student: Any, teacher: Any, labels: Any, spec: RKDSpec) -> Any:
    """Means of Huber(d_s / mean, d_t / mean) and of Huber(cos_s, cos_t). Source: arXiv:1904.05068, equations 4 to 9."""

    def huber(own: Any, theirs: Any) -> Any:
        far = np.abs(own - theirs)
        return np.where(far < 1, far**2 / 2, far - 0.5)

    def distances(f: Any) -> Any:
        found = np.array([np.linalg.norm(f[i] - f[j]) for i in range(len(f)) for j in range(len(f)) if i != j])
        return found / found.mean()

    def angles(f: Any) -> Any:
        f, found = f[:ANGLE_ROWS], []
        for j in range(len(f)):
            for i in range(len(f)):
                for k in range(len(f)):
                    if len({i, j, k}) == 3:
                        a, b = f[i] - f[j], f[k] - f[j]
                        found.append(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), SMALLEST))
        return np.array(found)

    def term(own: Any, theirs: Any) -> Any:
        two = huber(distances(own), distances(theirs)).mean()
        three = huber(angles(own), angles(theirs)).mean()
        return spec.distances * two + spec.angles * three

    return related_reference(student, teacher, term, least=3)


@LOSSES.register(
    "rkd",
    title="Distances and angles between rows (RKD)",
    spec=RKDSpec,
    source="arXiv:1904.05068",
    about="The distances between pairs of rows and the angles between three of them are to be the same in the student's inner features as in the teacher's, up to scale.",
    formula=r"\begin{gathered} w_d \, \mathrm{H}(d_s / \bar d_s, d_t / \bar d_t) \\ + w_a \, \mathrm{H}(\angle_s, \angle_t) \\ \mathrm{H} \text{ is Huber's loss} \end{gathered}",
    needs=("teacher_features", "student_features"),
    reference=reference,
    doubled=(0.7, 1.3),
    zero_at_equality=True,
    shift_invariant=True,
)
def rkd(student: Outputs, teacher: Outputs, labels: Tensor, spec: RKDSpec) -> Tensor:
    """Huber distance of relative distances and of angles, each the mean over different rows, with a weight each.

    Angles are taken among the first 64 rows of a batch, which lie in random order. Of a teacher of several folds, rows of one fold
    are compared, and of each fold the first 64. Shape: features (B, D) and (B, E). Source: arXiv:1904.05068.
    """

    def term(own: Tensor, theirs: Tensor) -> Tensor:
        two = F.smooth_l1_loss(_distances(own), _distances(theirs))
        return spec.distances * two + spec.angles * _turned(own, theirs) if spec.angles else spec.distances * two

    return related(student, teacher, term, least=3)


def _distances(f: Tensor) -> Tensor:
    """Return the distances of all pairs over their mean. Shape: (B, D) -> (B(B - 1) / 2,)."""
    first, second = torch.triu_indices(len(f), len(f), offset=1, device=f.device)
    squares = (f[:, None] - f[None]).square().sum(2).flatten()
    far = squares.index_select(0, first * len(f) + second).clamp(min=SMALLEST).sqrt()
    return far / far.mean()


def _turned(own: Tensor, theirs: Tensor) -> Tensor:
    """Return the mean Huber distance of the cosines of all angles at j between i and k, three different rows."""
    apart = _angles(own) - _angles(theirs)  # 0 where i or k is j: there is no way to go
    differ = (~torch.eye(apart.shape[1], dtype=torch.bool, device=apart.device)).to(apart.dtype)
    count = math.perm(apart.shape[1], 3)
    return F.smooth_l1_loss(apart * differ, torch.zeros_like(apart), reduction="sum") / count


def _angles(f: Tensor) -> Tensor:
    """Return cosines at j between i and k, of the first rows. Shape: (B, D) -> (B, B, B), j first."""
    f = f[:ANGLE_ROWS]
    ways = F.normalize(f[None] - f[:, None], dim=2, eps=SMALLEST)
    return ways @ ways.transpose(1, 2)
