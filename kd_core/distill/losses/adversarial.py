"""A judge between the two: a small network learns to tell the teacher's answers from the student's, and the student to pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from torch.func import functional_call

from kd_core.distill.base import LOSSES, WeightedSpec, share, strength
from kd_core.evaluate.soft_labels import log_soften
from kd_core.models.base import Outputs
from kd_core.specs import unit
from kd_core.task import CLASSIFICATION


class AdversarialSpec(WeightedSpec):
    """Settings of distillation by a judge."""

    alpha: float = share(0.5)
    weight: float = strength(1.0, "of our own choice")
    temperature: float = Field(
        2.0,
        ge=0.5,
        le=20,
        description="Divides the logits of both before the judge sees them.",
        json_schema_extra=unit("divides the logits", log=True),
    )
    width: int = Field(
        32,
        ge=2,
        le=1024,
        description="Hidden units of the judge.",
        json_schema_extra=unit("units", log=True, advanced=True),
    )


def judge(spec: AdversarialSpec, student: Outputs, teacher: Outputs) -> nn.Sequential:
    """Make the network that says of answers and a class how much they are like the teacher's."""
    return nn.Sequential(nn.Linear(2 * teacher.logits.shape[1], spec.width), nn.SiLU(), nn.Linear(spec.width, 1))


def reference(student: Any, teacher: Any, labels: Any, spec: AdversarialSpec, weights: Any) -> Any:
    """Mean -log D(q, y), D the sigmoid of the judge. Source: arXiv:1406.2661, section 3, of arXiv:1709.00513's judge of answers."""
    q = np.exp(log_soften(student.logits, spec.temperature))
    x = np.concatenate([q, np.eye(q.shape[1])[labels]], axis=1) @ weights["0.weight"].T + weights["0.bias"]
    d = (x / (1 + np.exp(-x))) @ weights["2.weight"].T + weights["2.bias"]
    return np.log1p(np.exp(-d)).mean()


@LOSSES.register(
    "adversarial",
    title="A judge between teacher and student (adversarial)",
    spec=AdversarialSpec,
    source="arXiv:1709.00513",
    about="A small network learns to tell the teacher's softened answers from the student's, knowing the class of the row; the student learns to be taken for the teacher. It is held to the manner of the teacher's answers for a class, not to the answer for each row, and needs the labels beside it.",
    formula=r"\begin{gathered} \min_s \; -\log D(q, y) \\ \min_D \; -\log D(p, y) - \log(1 - D(q, y)) \end{gathered}",
    tasks=CLASSIFICATION,
    module=judge,
    reference=reference,
    soft_labels=True,
    row_mean=True,
    zero_at_equality=False,
    shift_invariant=True,
    tempered=False,
)
def adversarial(
    student: Outputs, teacher: Outputs, labels: Tensor, spec: AdversarialSpec, module: nn.Sequential
) -> Tensor:
    """Mean -log D of the student's softened answers: how far the judge is from taking them for the teacher's.

    The judge's own loss is added with the value 0 and its gradient, and reaches the judge alone; the student's reaches the student
    alone. So one optimiser serves both, a step of each at a time. The paper's judge also names the class, here it is told it
    (arXiv:1411.1784); the paper adds a distance of logits, which here is a term of its own.
    Shape: logits (N, C), labels (N,). Source: arXiv:1709.00513; the student's form of the loss arXiv:1406.2661, section 3.
    """
    classes = student.logits.shape[1]
    known = F.one_hot(labels, classes).to(student.logits.dtype)
    q, p = (torch.softmax(z / spec.temperature, dim=1) for z in (student.logits, teacher.logits))
    still = {name: weight.detach() for name, weight in module.named_parameters()}
    passed: Tensor = functional_call(module, still, (torch.cat([q, known], dim=1),))
    judged = F.softplus(-module(torch.cat([p, known], dim=1))) + F.softplus(
        module(torch.cat([q.detach(), known], dim=1))
    )
    own = judged.mean()
    return F.softplus(-passed).mean() + (own - own.detach())
