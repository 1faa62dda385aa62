"""The teacher's last layer reused: the student learns nothing but the features that the teacher's own classifier reads."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from kd_core.distill.base import LOSSES, WholeSpec
from kd_core.models.base import Outputs


class SimKDSpec(WholeSpec):
    """Settings of distillation with the teacher's last layer: there are none, labels have no part in it."""


def projector(spec: SimKDSpec, student: Outputs, teacher: Outputs) -> nn.Linear:
    """Map the student's features to the teacher's width."""
    assert student.features is not None and teacher.features is not None
    return nn.Linear(student.features.shape[1], teacher.features.shape[1])


def reference(student: Any, teacher: Any, labels: Any, spec: SimKDSpec, weights: Any) -> Any:
    """Mean (P f_s + p - f_t)² over rows and features. Source: arXiv:2203.14001, equation 3."""
    return ((student.features @ weights["weight"].T + weights["bias"] - teacher.features) ** 2).mean()


@LOSSES.register(
    "simkd",
    title="The teacher's last layer reused (SimKD)",
    spec=SimKDSpec,
    source="arXiv:2203.14001",
    about="The student learns only to give the teacher's inner features, over a linear layer of its own, and the teacher's last layer answers from them. No label and no softened answer is heard. In the end the two layers are one, so the student is as large as without a teacher; the paper puts three convolutions where here is one linear layer, and keeps them.",
    formula=r"\begin{gathered} \frac{1}{D} \| P f_s - f_t \|^2 \\ z_s = W_t (P f_s) + b_t \end{gathered}",
    needs=("teacher_features", "one_basis", "teacher_head", "student_features", "student_head"),
    module=projector,
    reuses_head=True,
    reference=reference,
    row_mean=True,
    zero_at_equality=False,
    shift_invariant=True,
)
def simkd(student: Outputs, teacher: Outputs, labels: Tensor, spec: SimKDSpec, module: nn.Linear) -> Tensor:
    """Mean squared distance of the student's projected features to the teacher's, over rows and features.

    The term is that of hints; what is new is who answers: the teacher's last layer over the projector (fact `reuses_head`). A linear
    projector and a linear layer are one linear layer, which is the student's own in the end: nothing is added to it. The paper's
    projector is deeper (1 x 1, 3 x 3 and 1 x 1 convolutions before the places are averaged) and stays with the student.
    Shape: features (B, D) and (B, E). Source: arXiv:2203.14001.
    """
    found: Tensor = (module(student.features) - teacher.features).square().mean()
    return found
