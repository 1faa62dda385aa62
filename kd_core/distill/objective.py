"""What a student is taught: hard labels, plus a teacher term with a weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kd_core.data.dataset import Array, Dataset
from kd_core.data.input_spec import InputSpec
from kd_core.distill.base import LOSSES, Gradient, LossFunction
from kd_core.errors import SpecError
from kd_core.models.base import Outputs
from kd_core.registry import Entry, Situation
from kd_core.seeding import derive
from kd_core.specs import Choice, TrainingSpec
from kd_core.task import HardLoss, task_of
from kd_core.training.meter import BatchTerms


def class_weights(labels: Array, num_classes: int, mode: str) -> Array | None:
    """Weigh classes by N / (C * count), so that the mean weight over the training rows is 1; None for 'none'.

    Source: King and Zeng 2001, as scikit-learn's 'balanced'.
    """
    if mode == "none":
        return None
    count = np.bincount(labels, minlength=num_classes)
    return np.asarray(len(labels) / (num_classes * np.maximum(count, 1)), dtype=np.float32)


def weights_for(dataset: Dataset, training: TrainingSpec) -> Array | None:
    """Return the weights of a dataset's classes as a training asks for them, None where all count the same or there are none."""
    if not task_of(dataset.task).has_classes:
        return None
    return class_weights(dataset.train.y, dataset.num_outputs, training.class_weights)


def make(
    task: str,
    objective: Choice | None,
    labels: Array,
    teacher_logits: Array | None = None,
    class_weights: Array | None = None,
) -> Objective:
    """Build the loss of a batch; without an objective it is the baseline's.

    Shape: labels (N,) classes or scaled targets, teacher_logits (N, C), both in the order of the training rows.
    Errors: SpecError when the loss does not fit the task, or the teacher's answers do not fit the rows.
    """
    told = task_of(task)
    hard = told.hard_loss(class_weights)
    if objective is None:
        return Objective(labels, hard)
    entry = LOSSES.get(objective.name)
    spec = entry.spec.parse(objective.settings, f"objective {objective.name}")
    num_classes = teacher_logits.shape[1] if teacher_logits is not None and told.has_classes else 0
    # Whether rows are grouped is asked of the whole run, and what a student gives once there is one (`own`).
    situation = Situation(task, num_classes, grouped=True)
    _refuse(entry, situation)
    if teacher_logits is None or len(teacher_logits) != len(labels):
        raise SpecError(
            "The teacher answered {answers} rows, the training part has {rows}.",
            "Every training row needs the teacher's answer.",
            "teacher_rows",
            answers=0 if teacher_logits is None else len(teacher_logits),
            rows=len(labels),
        )
    return Objective(labels, hard, entry, spec, teacher_logits, situation)


def _refuse(entry: Entry[LossFunction], situation: Situation) -> None:
    if why_not := entry.why_not(situation):
        raise SpecError(
            "The objective '{name}' {why}.", "Choose another objective.", "objective_task", name=entry.name, why=why_not
        )


class Objective:
    """The loss of a batch of training rows, given by their positions. Holds answers, never a teacher.

    `module` is the loss's own part, where it has one: see `own`.
    """

    def __init__(
        self,
        labels: Array,
        hard: HardLoss,
        soft: Entry[LossFunction] | None = None,
        spec: Any = None,
        teacher_logits: Array | None = None,
        situation: Situation | None = None,
    ) -> None:
        dtype = np.int64 if labels.dtype.kind in "iu" else np.float32
        self.labels = torch.from_numpy(np.ascontiguousarray(labels, dtype=dtype))
        self.hard, self.soft, self.spec, self.situation = hard, soft, spec, situation
        weights: tuple[float, float] = spec.weights() if soft else (1.0, 0.0)
        self.hard_weight, self.soft_weight = weights
        self.teacher: Tensor | None = None
        if self.soft_weight:
            assert teacher_logits is not None
            self.teacher = torch.from_numpy(np.ascontiguousarray(teacher_logits, dtype=np.float32))
        self.module: nn.Module | None = None
        self.written: type[Gradient] | None = soft.facts.get("gradient") if soft and self.soft_weight else None
        self._alone: tuple[Gradient, Tensor, HardLoss, Tensor] | None = None

    def own(self, student: nn.Module, inputs: InputSpec, seed: int) -> None:
        """Make the loss's own module, for the widths of this student; losses without one stay as they are.

        Its start weights come from `seed` alone, and the student's are not touched.
        Errors: SpecError `objective_task` when the student does not give what the loss needs.
        """
        if self.soft is None or self.teacher is None or not (self.soft.needs or "module" in self.soft.facts):
            return
        student.eval()
        with torch.no_grad():
            found: Outputs = student(torch.from_numpy(inputs.example(2)))
        student.train()
        assert self.situation is not None
        gives = {"logits"} if found.features is None else {"logits", "features"}
        _refuse(self.soft, replace(self.situation, students_give=frozenset(gives)))
        if make := self.soft.facts.get("module"):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(derive(seed, "loss"))
                self.module = make(self.spec, found, Outputs(self.teacher[:2]))

    def __call__(self, outputs: Outputs, index: Tensor) -> BatchTerms:
        """Compute total = hard weight x hard + soft weight x soft; a term of weight 0 gets no gradient."""
        if self.labels.device != index.device:
            self.labels = self.labels.to(index.device)
        labels = self.labels.index_select(0, index)
        if self.teacher is None:  # alpha 0 is the baseline, bit for bit
            hard = self.hard(outputs, labels)
            return BatchTerms(hard, hard)
        if self.written is not None and outputs.members is None:
            return self._by_gradient(self.written, self.teacher, outputs.logits, labels, index)
        return self._by_graph(self.teacher, outputs, labels, index)

    def _by_graph(self, teacher: Tensor, outputs: Outputs, labels: Tensor, index: Tensor) -> BatchTerms:
        assert self.soft is not None
        if teacher.device != index.device:
            self.teacher = teacher = teacher.to(index.device)
        module = () if self.module is None else (self.module,)
        soft = self.soft.make(outputs, Outputs(teacher.index_select(0, index)), labels, self.spec, *module)
        if not self.hard_weight:
            with torch.no_grad():
                return BatchTerms(soft, self.hard(outputs, labels), soft)
        hard = self.hard(outputs, labels)
        return BatchTerms(self.hard_weight * hard + self.soft_weight * soft, hard, soft)

    def _by_gradient(
        self, written: type[Gradient], teacher: Tensor, z: Tensor, labels: Tensor, index: Tensor
    ) -> BatchTerms:
        """Take the written gradient, for a stack of one: a third of the time that torch takes to find it."""
        if self._alone is None:

            def column(values: Sequence[float]) -> Tensor:
                return torch.tensor(values, dtype=z.dtype, device=z.device).view(-1, 1, 1)

            self._alone = (
                written([self.spec], [self.soft_weight], column),
                written.table(teacher.to(z.device, z.dtype), self.spec),
                self.hard.to(z.device, z.dtype),
                column([self.hard_weight]),
            )
        gradient, table, hard_loss, weight = self._alone
        plain = z.detach()
        stack, told = plain.t().unsqueeze(0), table.index_select(0, index).t().unsqueeze(0)
        slope = hard_loss.stack_gradient(stack, labels.view(1, 1, -1), weight).add_(gradient.slope(stack, told))
        hard, soft = hard_loss(Outputs(plain), labels), gradient.losses(stack, told).view(())
        return BatchTerms(self.hard_weight * hard + self.soft_weight * soft, hard, soft, (z, slope[0].t()))
