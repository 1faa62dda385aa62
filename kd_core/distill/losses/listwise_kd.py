"""Divergence from the teacher's order of a group's rows: its scores, as a distribution over the rows of the group."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from kd_core.distill.base import LOSSES
from kd_core.distill.losses.hinton import HintonSpec
from kd_core.models.base import Outputs
from kd_core.task import BY_GROUP

ONLY_RANKING = "works where rows are ranked within a group, as products within a search; of rows that stand alone nothing can be compared"


def group_numbers(teacher: Outputs) -> Tensor:
    """Number the groups of a batch from 0; without groups all rows are one. Shape: -> (N,)."""
    if teacher.group is None:
        return torch.zeros(len(teacher.logits), dtype=torch.int64, device=teacher.logits.device)
    numbers: Tensor = torch.unique(teacher.group, return_inverse=True)[1]
    return numbers


def log_softmax_within(z: Tensor, groups: Tensor, count: int) -> Tensor:
    """Return log softmax over the rows of each group. Shape: z (N,), groups (N,) -> (N,)."""
    highest = torch.full((count,), -torch.inf, dtype=z.dtype, device=z.device)
    highest = highest.scatter_reduce(0, groups, z.detach(), "amax")
    z = z - highest[groups]
    total = torch.zeros_like(highest).index_add(0, groups, z.exp())
    return z - total.log()[groups]


def reference(student: Any, teacher: Any, labels: Any, spec: HintonSpec) -> Any:
    """Mean over groups of T² sum p log(p / q), p and q softmax of scores / T over the rows of a group. Source: Cao et al. 2007."""
    groups = np.zeros(len(labels)) if teacher.group is None else teacher.group
    found = []
    for one in np.unique(groups):
        z, t = (o.logits[groups == one, 0] / spec.temperature for o in (student, teacher))
        log_q, log_p = z - np.logaddexp.reduce(z), t - np.logaddexp.reduce(t)
        found.append((np.exp(log_p) * (log_p - log_q)).sum())
    return spec.temperature**2 * np.mean(found)


@LOSSES.register(
    "listwise_kd",
    title="The teacher's order of a group",
    spec=HintonSpec,
    source="Cao et al. 2007, Learning to Rank: From Pairwise Approach to Listwise Approach",
    about="For rankings: within a group, such as the products of one search, the teacher's scores are turned into a distribution of who comes first, and the student follows it. Scores of different groups are never compared.",
    formula=r"\begin{gathered} T^2 \sum_{i \in g} p_i \log \frac{p_i}{q_i} \\ p = \mathrm{softmax}_g(z_t / T) \\ q = \mathrm{softmax}_g(z_s / T) \end{gathered}",
    tasks=BY_GROUP,
    because={"task": ONLY_RANKING},
    reference=reference,
    doubled=1.0,
    whole_groups=True,  # rows of other groups may stand beside: a student that learns by rounds sees all at once
    zero_at_equality=True,
    shift_invariant=False,  # of a row; a number added to all rows of a group changes nothing
    tempered=True,
)
def listwise_kd(student: Outputs, teacher: Outputs, labels: Tensor, spec: HintonSpec) -> Tensor:
    """T² KL(softmax(teacher / T) ‖ softmax(student / T)) over the rows of each group, mean over groups.

    Cao et al. have the cross-entropy to softmax of the labels; here the teacher's scores stand in their place, so that the two differ by the
    teacher's entropy, and T² keeps the size of the gradient. Shape: logits (N, 1), `teacher.group` (N,).
    """
    groups = group_numbers(teacher)
    count = int(groups.max()) + 1
    log_q, log_p = (log_softmax_within(o.logits[:, 0] / spec.temperature, groups, count) for o in (student, teacher))
    return (log_p.exp() * (log_p - log_q)).sum() / count * spec.temperature**2
