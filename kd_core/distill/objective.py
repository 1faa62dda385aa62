"""What a student is taught: hard labels, plus a teacher term with a weight."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from kd_core.data.dataset import Array, Dataset
from kd_core.distill.base import LOSSES, Formula, LossFunction, partly_known, soft_term
from kd_core.errors import SpecError
from kd_core.models.base import Outputs
from kd_core.registry import Situation
from kd_core.specs import Choice, TrainingSpec
from kd_core.task import HardLoss, task_of
from kd_core.training.meter import BatchTerms

FORMULA_BYTES = 512 * 2**20  # prepared rows of a formula; with so many classes its savings are small beside their use


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

    Shape: labels (N,) classes or scaled targets, teacher_logits (N, C), both in the order of the training rows; a row of NaN was not
    answered and learns from its label alone.
    Errors: SpecError when the loss does not fit the task, or the teacher's answers do not fit the rows.
    """
    told = task_of(task)
    hard = told.hard_loss(class_weights)
    if objective is None:
        return Objective(labels, hard)
    entry = LOSSES.get(objective.name)
    spec = entry.spec.parse(objective.settings, f"objective {objective.name}")
    num_classes = teacher_logits.shape[1] if teacher_logits is not None and told.has_classes else 0
    why_not = entry.why_not(Situation(task, num_classes))
    if why_not:
        raise SpecError(
            "The objective '{name}' {why}.", "Choose another objective.", "objective_task", name=entry.name, why=why_not
        )
    if teacher_logits is None or len(teacher_logits) != len(labels):
        raise SpecError(
            "The teacher answered {answers} rows, the training part has {rows}.",
            "Every training row needs the teacher's answer.",
            "teacher_rows",
            answers=0 if teacher_logits is None else len(teacher_logits),
            rows=len(labels),
        )
    return Objective(labels, hard, entry.make, spec, teacher_logits, entry.facts.get("formula"))


class Objective:
    """The loss of a batch of training rows, given by their positions. Holds answers, never a teacher."""

    def __init__(
        self,
        labels: Array,
        hard: HardLoss,
        soft: LossFunction | None = None,
        spec: Any = None,
        teacher_logits: Array | None = None,
        formula: type[Formula] | None = None,
    ) -> None:
        dtype = np.int64 if labels.dtype.kind in "iu" else np.float32
        self.labels = torch.from_numpy(np.ascontiguousarray(labels, dtype=dtype))
        self.hard, self.soft, self.spec = hard, soft, spec
        weights: tuple[float, float] = spec.weights() if soft else (1.0, 0.0)
        self.hard_weight, self.soft_weight = weights
        self.teacher: Tensor | None = None
        self.known: Tensor | None = None
        if self.soft_weight:
            assert teacher_logits is not None
            self.teacher = torch.from_numpy(np.ascontiguousarray(teacher_logits, dtype=np.float32))
            self.known = partly_known(self.teacher)
        fits = self.teacher is not None and self.known is None and 4 * self.teacher.numel() * 4 <= FORMULA_BYTES
        self.make_formula = formula if fits else None
        self.formula: Formula | None = None

    def __call__(self, outputs: Outputs, index: Tensor) -> BatchTerms:
        """Compute total = hard weight x hard + soft weight x soft; a term of weight 0 gets no gradient."""
        if self.labels.device != index.device:
            self.labels = self.labels.to(index.device)
        if self.make_formula is not None and self.teacher is not None and outputs.members is None:
            return self._by_formula(self.make_formula, self.teacher, outputs.logits, index)
        labels = self.labels.index_select(0, index)
        if self.teacher is None:  # alpha 0 is the baseline, bit for bit
            hard = self.hard(outputs, labels)
            return BatchTerms(hard, hard)
        return self._by_graph(self.teacher, outputs, labels, index)

    def _by_graph(self, teacher: Tensor, outputs: Outputs, labels: Tensor, index: Tensor) -> BatchTerms:
        assert self.soft is not None
        if teacher.device != index.device:
            self.teacher = teacher = teacher.to(index.device)
        if self.known is not None:
            self.known = self.known.to(index.device)
        known = None if self.known is None else self.known[index]
        soft = soft_term(self.soft, outputs, teacher.index_select(0, index), labels, self.spec, known)
        if not self.hard_weight:
            with torch.no_grad():
                return BatchTerms(soft, self.hard(outputs, labels), soft)
        hard = self.hard(outputs, labels)
        return BatchTerms(self.hard_weight * hard + self.soft_weight * soft, hard, soft)

    def _by_formula(self, make: type[Formula], teacher: Tensor, z: Tensor, index: Tensor) -> BatchTerms:
        if self.formula is None:
            labels, weights = self.labels.to(teacher.device), self.hard.weights
            rows = None if weights is None else weights.to(teacher.device)[labels]
            # In float64, once: the digits of a row's target do not depend on the precision of training.
            self.formula = make(teacher.double(), labels, rows, self.spec, z.device, z.dtype)
        total, hard, soft, gradient = self.formula(z, index)
        return BatchTerms(total, hard, soft, (z, gradient))
