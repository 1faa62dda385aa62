"""What every distillation loss is, and how it joins the hard-label loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from pydantic import Field
from torch import Tensor

from kd_core.models.base import Outputs
from kd_core.registry import Registry
from kd_core.specs import Spec, unit


class LossSpec(Spec):
    """Settings every distillation loss has: how much of the lesson is soft."""

    alpha: float = Field(
        0.7,
        ge=0,
        le=1,
        description="Share of the lesson that comes from the teacher; 0 is the baseline, 1 ignores the labels.",
        json_schema_extra=unit("0..1"),
    )

    def weights(self) -> tuple[float, float]:
        """(weight of the hard-label loss, weight of the soft term)."""
        return 1.0 - self.alpha, self.alpha


# fn(student, teacher, labels, spec) -> scalar soft term, T**2 included, before its weight.
# The teacher side holds logits only (no module, no gradient); labels are classes or scaled targets.
LossFunction = Callable[[Outputs, Outputs, Tensor, Any], Tensor]


def partly_known(z_teacher: Tensor) -> Tensor | None:
    """Say which rows a teacher answered; None where it answered all. Shape: (N, C), NaN where not answered -> (N,) bool."""
    known = ~z_teacher[:, 0].isnan()
    return None if bool(known.all()) else known


def soft_term(
    loss: LossFunction, student: Outputs, z_teacher: Tensor, labels: Tensor, spec: Any, known: Tensor | None
) -> Tensor:
    """Compute a loss over the rows that the teacher answered (all: None), as a share of the mean over all rows.

    Shape: z_teacher (B, C), labels and known (B,).
    """
    if known is None:
        return loss(student, Outputs(z_teacher), labels, spec)
    at = known.nonzero().squeeze(1)
    if not len(at):
        return student.logits.sum() * 0.0
    return loss(student.rows(at), Outputs(z_teacher[at]), labels[at], spec) * (len(at) / len(known))


class Formula(Protocol):
    """A loss joined with cross-entropy, its gradient written out: the fact `formula` of a registered loss.

    The same values as the loss's function and its derivative (the laws of losses compare them) in fewer operations:
    what the teacher contributes is computed once for all rows. For students that give one logit vector a row.
    """

    def __init__(
        self,
        z_teacher: Tensor,
        labels: Tensor,
        row_weights: Tensor | None,
        spec: Any,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        """Prepare all rows. Shape: z_teacher (N, C), labels (N,), row_weights (N,) or None; kept on `device`."""
        ...

    def __call__(self, z: Tensor, index: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return total, hard and soft loss of a batch and the total's gradient by the student's logits z (B, C)."""
        ...


LOSSES: Registry[LossFunction] = Registry("loss")
