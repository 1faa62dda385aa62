"""Knowledge review: what the student sees late and early is fused, and each stage of it is drawn to the teacher's, coarse and fine."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field, PrivateAttr
from torch import Tensor, nn

from kd_core.distill.base import LOSSES, WeightedSpec, share, strength
from kd_core.models.base import Outputs
from kd_core.specs import unit

# Legend: B rows, K bands, H and W places, M bands of the fused maps.
LEVELS = (4, 2, 1)  # places each way of the coarser levels; each counts half as much as the one before
MOST_BANDS = 512  # of the fused maps


class ReviewSpec(WeightedSpec):
    """Settings of knowledge review."""

    alpha: float = share(0.5)
    weight: float = strength(1.0, "0.6 to 8 in the paper, by the pair of networks")
    warm_up: float = Field(
        1 / 12,
        ge=0,
        le=1,
        description="The teacher's term rises in equal steps over this share of the epochs: 20 of 240 in the paper.",
        json_schema_extra=unit("share of the epochs", advanced=True),
    )
    _risen: float = PrivateAttr(1.0)

    def at(self, epoch: int, planned: int) -> Self:
        """Return the settings of an epoch, counted from 1, of so many planned ones."""
        found = self.model_copy()
        found._risen = min(1.0, epoch / max(1, math.ceil(self.warm_up * planned)))
        return found

    @property
    def risen(self) -> float:
        """Return the share of the term's weight that it has in this epoch."""
        return self._risen


class Fusion(nn.Module):
    """Fuses the student's maps from the last stage back, and brings each to the bands of the teacher's stage.

    Every stage is brought to M bands; what was fused so far is made as large and joined to it, each of the two times a map of where it
    counts. The paper's convolutions are followed by batch normalisation; here they are not, so that a row's term depends on no other.
    Shape: maps (B, K, H, W), the last stage first -> (B, bands of the teacher's, H, W), in this order. Source: arXiv:2104.09044, figure 3.
    """

    def __init__(self, own: list[int], theirs: list[int]) -> None:
        super().__init__()
        middle = min(MOST_BANDS, max(own))
        self.into = nn.ModuleList(nn.Conv2d(bands, middle, 1) for bands in own)
        self.weigh = nn.ModuleList(nn.Conv2d(2 * middle, 2, 1) for _ in own[1:])
        self.out = nn.ModuleList(nn.Conv2d(middle, bands, 3, padding=1) for bands in theirs)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        fused, found = self.into[0](maps[0]), []
        for stage, x in enumerate(maps):
            if stage:
                here, later = self.into[stage](x), F.interpolate(fused, x.shape[2:], mode="nearest")
                where = torch.sigmoid(self.weigh[stage - 1](torch.cat([here, later], dim=1)))
                fused = here * where[:, :1] + later * where[:, 1:]
            found.append(self.out[stage](fused))
        return found


def hierarchical(own: Tensor, theirs: Tensor) -> Tensor:
    """Mean squared distance of two maps at all places and, halved each time, of their averages over 4 x 4, 2 x 2 and all places.

    Levels no coarser than the maps are left out. Shape: (B, K, H, W) both -> scalar. Source: arXiv:2104.09044, section 3.3.
    """
    total, weight, weights = (own - theirs).square().mean(), 1.0, 1.0
    for places in LEVELS:
        if places < own.shape[2]:
            weight, weights = weight / 2, weights + weight / 2
            far = F.adaptive_avg_pool2d(own, places) - F.adaptive_avg_pool2d(theirs, places)
            total = total + weight * far.square().mean()
    return total / weights


def projector(spec: ReviewSpec, student: Outputs, teacher: Outputs) -> Fusion:
    """Fuse the student's stages to the bands of the teacher's, paired last with last."""
    own, theirs = _paired(student, teacher)
    return Fusion([x.shape[1] for x in own], [x.shape[1] for x in theirs])


def _paired(student: Outputs, teacher: Outputs) -> tuple[list[Any], list[Any]]:
    """Return the last stages of both, the last first, as many as the network of fewer stages has."""
    count = min(len(student.hidden), len(teacher.hidden))
    own, theirs = (list(outputs.hidden.values())[::-1][:count] for outputs in (student, teacher))
    return own, theirs


def reference(student: Any, teacher: Any, labels: Any, spec: ReviewSpec, weights: Any) -> Any:
    """Sum over stages of HCL(out_s(fused_s), teacher's map_s). Source: arXiv:2104.09044, equations 6 and 7, figure 3."""

    def averaged(x: Any, height: int, width: int) -> Any:
        def edges(size: int, parts: int) -> list[tuple[int, int]]:
            return [(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]

        rows = [x[:, :, a:b].mean(2) for a, b in edges(x.shape[2], height)]
        x = np.stack(rows, axis=2)
        return np.stack([x[:, :, :, a:b].mean(3) for a, b in edges(x.shape[3], width)], axis=3)

    def one(x: Any, name: str) -> Any:
        w, b = weights[f"{name}.weight"][:, :, 0, 0], weights[f"{name}.bias"]
        return np.einsum("oi,bihw->bohw", w, x) + b[:, None, None]

    def three(x: Any, name: str) -> Any:
        w, b = weights[f"{name}.weight"], weights[f"{name}.bias"]
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        seen = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
        return np.einsum("oikl,bihwkl->bohw", w, seen) + b[:, None, None]

    def distance(a: Any, b: Any) -> Any:
        levels = [(a, b)] + [(averaged(a, n, n), averaged(b, n, n)) for n in LEVELS if n < a.shape[2]]
        shares = [0.5**i for i in range(len(levels))]
        return sum(s * ((x - y) ** 2).mean() for s, (x, y) in zip(shares, levels, strict=True)) / sum(shares)

    own, theirs = _paired(student, teacher)
    total, fused = 0.0, one(own[0], "into.0")
    for stage, (x, told) in enumerate(zip(own, theirs, strict=True)):
        if stage:
            here, (height, width) = one(x, f"into.{stage}"), x.shape[2:]
            down, across = (np.arange(n) * o // n for n, o in zip((height, width), fused.shape[2:], strict=True))
            later = fused[:, :, down][:, :, :, across]
            where = 1 / (1 + np.exp(-one(np.concatenate([here, later], 1), f"weigh.{stage - 1}")))
            fused = here * where[:, :1] + later * where[:, 1:]
        found = three(fused, f"out.{stage}")
        height, width = np.minimum(found.shape[2:], told.shape[2:])
        total += distance(averaged(found, height, width), averaged(told, height, width))
    return spec.risen * total


@LOSSES.register(
    "review",
    title="Review of all stages (ReviewKD)",
    spec=ReviewSpec,
    source="arXiv:2104.09044",
    about="What the student finds in its late stages is joined to what it finds in the earlier ones, and each stage of that is drawn to the teacher's maps, place by place and in coarser averages. What joins them is trained along and then dropped. The teacher's network runs beside the student and is asked about each batch, so a step takes longer; it has seen the training pictures.",
    formula=r"\begin{gathered} \sum_s \mathrm{HCL}(F_s, f_t^{(s)}) \\ F_s = A_1 f_s^{(s)} + A_2 F_{s+1} \end{gathered}",
    needs=("live_maps", "student_maps"),
    module=projector,
    reference=reference,
    row_mean=True,
    zero_at_equality=False,
    shift_invariant=True,
)
def review(student: Outputs, teacher: Outputs, labels: Tensor, spec: ReviewSpec, module: Fusion) -> Tensor:
    """Sum over stages of the hierarchical distance of the student's fused maps to the teacher's, means over rows, bands and places.

    Maps of two sizes are compared at the smaller one, the larger averaged. Times the share that the warm-up has reached.
    Shape: hidden maps (B, K, H, W) of both. Source: arXiv:2104.09044.
    """
    own, theirs = _paired(student, teacher)
    total = student.logits.new_zeros(())
    for found, told in zip(module(own), theirs, strict=True):
        size = min(found.shape[2], told.shape[2]), min(found.shape[3], told.shape[3])
        total = total + hierarchical(F.adaptive_avg_pool2d(found, size), F.adaptive_avg_pool2d(told, size))
    return spec.risen * total
