"""Hints: the student's last hidden layer, over a projector of its own, is drawn to the teacher's."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from kd_core.distill.base import LOSSES, WeightedSpec, share, strength
from kd_core.models.base import Outputs


class FitNetsSpec(WeightedSpec):
    """Settings of hints."""

    alpha: float = share(0.5)
    weight: float = strength(100.0, "100 is usual, as of RepDistiller")


def projector(spec: FitNetsSpec, student: Outputs, teacher: Outputs) -> nn.Module:
    """Map the student's features to the teacher's width."""
    assert student.features is not None and teacher.features is not None
    return nn.Linear(student.features.shape[1], teacher.features.shape[1])


def reference(student: Any, teacher: Any, labels: Any, spec: FitNetsSpec, weights: Any) -> Any:
    """Mean (W f_s + b - f_t)² over rows and features. Source: arXiv:1412.6550, equation 3."""
    return ((student.features @ weights["weight"].T + weights["bias"] - teacher.features) ** 2).mean()


@LOSSES.register(
    "fitnets",
    title="Hints of inner features (FitNets)",
    spec=FitNetsSpec,
    source="arXiv:1412.6550",
    about="The student's inner features, put through a linear layer that is trained along and then dropped, are drawn to the teacher's inner features.",
    formula=r"\frac{1}{D} \| r(f_s) - f_t \|^2",
    needs=("teacher_features", "one_basis", "student_features"),
    module=projector,
    reference=reference,
    row_mean=True,
    zero_at_equality=False,
    shift_invariant=True,
)
def fitnets(student: Outputs, teacher: Outputs, labels: Tensor, spec: FitNetsSpec, module: nn.Module) -> Tensor:
    """Mean squared distance of the student's projected features to the teacher's, over rows and features.

    The projector learns beside the student and is dropped: only the student goes home. The paper trains by hints first and by labels
    afterwards; here both are learned at once, as later comparisons do, with the weight that is usual there.
    Shape: features (B, D) and (B, E). Source: arXiv:1412.6550, equation 3.
    """
    found: Tensor = (module(student.features) - teacher.features).square().mean()
    return found
