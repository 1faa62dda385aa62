"""Every task of a row by its own loss: softened divergence where there are classes, squared distance where there is a number."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from kd_core.distill.base import LOSSES
from kd_core.distill.losses.hinton import HintonSpec, divergence
from kd_core.evaluate.soft_labels import log_soften
from kd_core.models.base import Outputs
from kd_core.task import IN_PARTS


class ByTaskSpec(HintonSpec):
    """Settings of distillation task by task; the temperature is that of the tasks with classes."""


def reference(student: Any, teacher: Any, labels: Any, spec: ByTaskSpec) -> Any:
    """Mean over tasks of T² sum p log(p / q), or (z_s - z_t)², mean over rows. Source: arXiv:1503.02531, arXiv:1312.6184."""
    found = []
    for kind, columns in teacher.kinds:
        own, theirs = student.logits[:, list(columns)], teacher.logits[:, list(columns)]
        if kind == "number":
            found.append(((own - theirs) ** 2).mean())
            continue
        log_q, log_p = log_soften(own, spec.temperature), log_soften(theirs, spec.temperature)
        found.append(spec.temperature**2 * (np.exp(log_p) * (log_p - log_q)).sum(1).mean())
    return np.mean(found)


@LOSSES.register(
    "by_task",
    title="Soft labels, task by task",
    spec=ByTaskSpec,
    source="arXiv:1503.02531",
    about="For several targets of a row: the student follows the teacher in each by itself, the softened probabilities where there are classes and the number where there is one. Every task weighs the same.",
    formula=r"\frac{1}{K} \left[ \sum_{\text{classes}} T^2 \, \mathrm{KL}(p \,\|\, q) + \sum_{\text{numbers}} (z_s - z_t)^2 \right]",
    tasks=IN_PARTS,
    because={
        "task": "works where a row has several targets, each with a loss of its own; for one target, soft labels or the distance say the same"
    },
    reference=reference,
    row_mean=True,
    zero_at_equality=True,
    shift_invariant=False,
    tempered=True,
)
def by_task(student: Outputs, teacher: Outputs, labels: Tensor, spec: ByTaskSpec) -> Tensor:
    """Mean over tasks: T² KL(p_teacher ‖ p_student) of those with classes, squared distance of scaled numbers; mean over rows.

    Each term is what `hinton` and `mse` are for the task alone, so a row that has no label of a task still hears the teacher in it.
    Shape: logits (N, C), whose tasks `Outputs.kinds` of the teacher names.
    """
    found = []
    for kind, columns in teacher.kinds:
        at = slice(columns[0], columns[-1] + 1)
        own, theirs = student.logits[:, at], teacher.logits[:, at]
        if kind == "number":
            found.append((own - theirs).square().mean())
        else:
            p = torch.softmax(theirs / spec.temperature, dim=1)
            found.append(divergence(own / spec.temperature, p).mean() * spec.temperature**2)
    return torch.stack(found).mean()
