"""Attention transfer: the student should look where in a picture the teacher looks."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from kd_core.distill.base import LOSSES, WeightedSpec, share, strength
from kd_core.models.base import Outputs
from kd_core.training.attention import paired


class ATSpec(WeightedSpec):
    """Settings of attention transfer."""

    alpha: float = share(0.5)
    weight: float = strength(1000.0, "1,000 in the paper")


def reference(student: Any, teacher: Any, labels: Any, spec: ATSpec) -> Any:
    """Sum over stages of the mean (Q_s / ‖Q_s‖ - Q_t / ‖Q_t‖)², Q the squares of a map added up over its bands.

    Of maps of different sizes the larger is averaged block by block, which must divide it here. Source: arXiv:1612.03928, equation 2.
    """

    def unit(q: Any) -> Any:
        return q / np.sqrt((q**2).sum((1, 2), keepdims=True))

    def averaged(q: Any, height: int, width: int) -> Any:
        rows, h, w = q.shape
        return q.reshape(rows, height, h // height, width, w // width).mean((2, 4))

    total = 0.0
    count = min(len(student.hidden), len(teacher.hidden))
    for own, theirs in zip(list(student.hidden.values())[-count:], list(teacher.hidden.values())[-count:], strict=True):
        q_s, q_t = (unit((x**2).sum(1) if x.ndim == 4 else x) for x in (own, theirs))
        height, width = min(q_s.shape[1], q_t.shape[1]), min(q_s.shape[2], q_t.shape[2])
        total += ((unit(averaged(q_s, height, width)) - unit(averaged(q_t, height, width))) ** 2).mean()
    return total


@LOSSES.register(
    "at",
    title="Attention in pictures (AT)",
    spec=ATSpec,
    source="arXiv:1612.03928",
    about="The student is to look where the teacher looks: maps of how strong its inner pictures are at each place are drawn together.",
    formula=r"\begin{gathered} \frac{1}{HW} \left\| \frac{Q_s}{\|Q_s\|} - \frac{Q_t}{\|Q_t\|} \right\|^2 \\ Q = \frac{1}{K} \sum_k f_k^2 \end{gathered}",
    needs=("teacher_maps", "student_maps"),
    reference=reference,
    row_mean=True,
    zero_at_equality=True,
    shift_invariant=True,
)
def at(student: Outputs, teacher: Outputs, labels: Tensor, spec: ATSpec) -> Tensor:
    """Squared distance of the two networks' attention, each row's of length 1, mean over rows and places, added up over stages.

    Attention is the mean square over the bands of a stage's maps, so its bands need not correspond: networks of other widths, and of
    other folds, can be compared. Stages are paired from the last one back, a pair of different sizes at the smaller.
    Shape: hidden maps (B, K, H, W), or attention (B, H, W). Source: arXiv:1612.03928, equation 2.
    """
    pairs = paired(student.hidden, teacher.hidden)
    return sum((own - theirs).square().mean() for own, theirs in pairs)  # type: ignore[return-value]
