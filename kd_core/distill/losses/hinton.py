"""Softened Kullback-Leibler divergence to the teacher: the classic distillation loss."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from kd_core.distill.base import LOSSES, LossSpec
from kd_core.models.base import Outputs
from kd_core.specs import unit
from kd_core.task import CLASSIFICATION


class HintonSpec(LossSpec):
    """Settings of classic distillation."""

    temperature: float = Field(
        2.0,
        ge=0.5,
        le=20,
        description="Softens both distributions; higher shows more of what the teacher thinks of the other classes.",
        json_schema_extra=unit("divides the logits", log=True),
    )


class HintonFormula:
    """(1 - alpha) cross-entropy + alpha T² KL, the two one above the other in tensors (2, B, C): small networks wait
    for the number of operations, not for their size.

    Per row: d total / dz = alpha T (softmax(z / T) - p_T) + (1 - alpha) w (softmax(z) - onehot), over B.
    The first of the pair is the teacher's term (z / T against p_T), the second the labels' (z against onehot).
    """

    def __init__(
        self,
        z_teacher: Tensor,
        labels: Tensor,
        row_weights: Tensor | None,
        spec: HintonSpec,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        log_p = F.log_softmax(z_teacher / spec.temperature, dim=1)
        onehot = F.one_hot(labels, log_p.shape[1]).to(log_p)
        self.weights: Tensor | None = None
        if row_weights is not None:
            held = row_weights.to(log_p).unsqueeze(1)
            onehot *= held
            self.weights = torch.stack([torch.ones_like(held), held]).to(device, dtype)
        self.target = torch.stack([log_p.exp(), onehot]).to(device, dtype)
        self.log_target = torch.stack([log_p, torch.zeros_like(log_p)]).to(device, dtype)
        self.spec = spec
        self.cooled = self.target.new_tensor([1 / spec.temperature, 1.0]).view(2, 1, 1)
        self.scales: dict[int, tuple[Tensor, Tensor]] = {}

    def _scales(self, rows: int) -> tuple[Tensor, Tensor]:
        """(rows total, hard, soft by the two sums of a batch; weights of the two gradients)."""
        if rows not in self.scales:
            t, (hard, soft) = self.spec.temperature, self.spec.weights()
            values = [[soft * t * t, hard], [0.0, 1.0], [t * t, 0.0]]
            self.scales[rows] = (
                self.target.new_tensor(values).div_(rows),
                self.target.new_tensor([soft * t, hard]).div_(rows),
            )
        return self.scales[rows]

    def __call__(self, z: Tensor, index: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return total, hard and soft loss and the total's gradient by z."""
        z = z.detach()
        by_value, by_gradient = self._scales(len(z))
        target, log_target = self.target.index_select(1, index), self.log_target.index_select(1, index)
        log_q = torch.log_softmax(z * self.cooled, 2)
        sums = log_target.sub_(log_q).mul_(target).view(2, -1).sum(1)
        total, hard, soft = torch.mv(by_value, sums).unbind()
        q = log_q.exp_()
        if self.weights is not None:
            q.mul_(self.weights.index_select(1, index))
        return total, hard, soft, torch.mv(q.sub_(target).view(2, -1).t(), by_gradient).view(z.shape)


@LOSSES.register(
    "hinton",
    title="Soft labels (KD)",
    spec=HintonSpec,
    source="arXiv:1503.02531",
    tasks=CLASSIFICATION,
    formula=HintonFormula,
    soft_labels=True,
)
def hinton(student: Outputs, teacher: Outputs, labels: Tensor, spec: HintonSpec) -> Tensor:
    """T² KL(p_teacher ‖ p_student) at temperature T: class sums, mean over rows.

    T² keeps the size of the gradient when T moves. Shape: logits (N, C). Source: arXiv:1503.02531, section 2.
    """
    log_student = F.log_softmax(student.logits / spec.temperature, dim=1)
    log_teacher = F.log_softmax(teacher.logits / spec.temperature, dim=1)
    return F.kl_div(log_student, log_teacher, reduction="batchmean", log_target=True) * spec.temperature**2
