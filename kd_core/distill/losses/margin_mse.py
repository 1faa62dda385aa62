"""Squared distance between the student's and the teacher's margins: by how much one row of a group is ahead of another."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from kd_core.distill.base import LOSSES, LossSpec
from kd_core.distill.losses.listwise_kd import ONLY_RANKING, group_numbers
from kd_core.models.base import Outputs
from kd_core.task import BY_GROUP


def reference(student: Any, teacher: Any, labels: Any, spec: LossSpec) -> Any:
    """Mean over pairs i, j of a group with y_i > y_j of ((s_i - s_j) - (t_i - t_j))². Source: arXiv:2010.02666."""
    s, t = student.logits[:, 0], teacher.logits[:, 0]
    groups = np.zeros(len(s)) if teacher.group is None else teacher.group
    rows = range(len(s))
    pairs = [(i, j) for i in rows for j in rows if groups[i] == groups[j] and labels[i] > labels[j]]
    return np.mean([((s[i] - s[j]) - (t[i] - t[j])) ** 2 for i, j in pairs]) if pairs else 0.0


@LOSSES.register(
    "margin_mse",
    title="The teacher's margins within a group",
    spec=LossSpec,
    source="arXiv:2010.02666",
    about="For rankings: of two rows of a group of which one is the better by its label, the student should be as far apart as the teacher is. How high the scores are as a whole is left to the student.",
    formula=r"\begin{gathered} \left( (z_{s,i} - z_{s,j}) - (z_{t,i} - z_{t,j}) \right)^2 \\ i, j \in g, \; y_i > y_j \end{gathered}",
    tasks=BY_GROUP,
    because={"task": ONLY_RANKING},
    reference=reference,
    doubled=1.0,
    zero_at_equality=True,
    shift_invariant=False,  # of a row; a number added to all rows of a group changes nothing
)
def margin_mse(student: Outputs, teacher: Outputs, labels: Tensor, spec: LossSpec) -> Tensor:
    """Mean of the squared difference of margins over pairs of a group whose labels differ; 0 where there is no such pair.

    Published for one relevant and one irrelevant passage of a query; here for every pair of a group of which one has the higher label.
    Shape: logits (N, 1), labels (N,), `teacher.group` (N,). The memory grows with the square of the batch.
    """
    groups = group_numbers(teacher)
    pairs = (groups[:, None] == groups) & (labels[:, None] > labels)
    ahead = student.logits[:, 0] - teacher.logits[:, 0]
    away = (ahead[:, None] - ahead).square() * pairs
    return away.sum() / pairs.sum().clamp(min=1)
