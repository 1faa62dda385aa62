"""What a student is taught: hard labels, plus a teacher term with a weight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kd_core.data.dataset import Array, Dataset
from kd_core.data.input_spec import InputSpec
from kd_core.distill import shares
from kd_core.distill.base import LOSSES, Gradient, LossFunction, partly_known, soft_term
from kd_core.distill.inner.heads import ReusedHead, head_of
from kd_core.distill.inner.hints import Hints, HintTensors
from kd_core.distill.inner.live import show
from kd_core.distill.terms import loss_of, total_of, weighted
from kd_core.errors import SpecError
from kd_core.models.base import Outputs
from kd_core.models.building import start_weights
from kd_core.registry import Entry, Situation
from kd_core.seeding import derive
from kd_core.specs import LABELS, Choice, TrainingSpec
from kd_core.task import IN_PARTS, SOME_CLASSES, HardLoss, TargetKind, task_of
from kd_core.training.meter import BatchTerms

Kinds = tuple[tuple[TargetKind, tuple[int, ...]], ...]


def class_weights(labels: Array, num_classes: int, mode: str) -> Array | None:
    """Weigh classes by N / (C * count), so that the mean weight over the training rows is 1; None for 'none'.

    Of rows with several labels the no and the yes of each are such classes. Shape: labels (N,) -> (C,), (N, C) -> (C, 2).
    Source: King and Zeng 2001, as scikit-learn's 'balanced'.
    """
    if mode == "none":
        return None
    if labels.ndim > 1:
        yes = labels.sum(axis=0)
        both = np.stack([len(labels) - yes, yes], axis=1)
        return np.asarray(len(labels) / (2 * np.maximum(both, 1)), dtype=np.float32)
    count = np.bincount(labels, minlength=num_classes)
    return np.asarray(len(labels) / (num_classes * np.maximum(count, 1)), dtype=np.float32)


def weights_for(dataset: Dataset, training: TrainingSpec) -> Array | None:
    """Return the weights of a dataset's classes as a training asks for them, None where all count the same or there are none."""
    if not SOME_CLASSES(task_of(dataset.task)):
        return None
    return class_weights(dataset.train.y, dataset.num_outputs, training.class_weights)


def make(
    task: str,
    objective: Choice | None,
    labels: Array,
    teacher_logits: Array | None = None,
    class_weights: Array | None = None,
    hints: Hints | None = None,
    groups: Array | None = None,
    made: Array | None = None,
) -> Objective:
    """Build the loss of a batch; without an objective it is the baseline's.

    Shape: labels (N,) classes or scaled targets, teacher_logits (N, C), both in the order of the training rows; a row of NaN was not
    answered and learns from its label alone. `hints`: what the teacher thinks inside, for a loss that hears it.
    `groups` (N,): numbers of the rows' groups, for a task that deals by group. `made` (M, C): the teacher's answers to made rows,
    whose positions follow those of the training rows.
    Errors: SpecError when the loss does not fit the task, or the teacher's answers do not fit the rows.
    """
    told = task_of(task)
    hard = told.hard_loss(class_weights)
    if objective is None:
        return Objective(labels, hard, groups=groups)
    entry = loss_of(objective)
    spec = entry.spec.parse(objective.settings, f"objective {objective.name}")
    num_classes = teacher_logits.shape[1] if teacher_logits is not None and told.has_classes else 0
    # Whether rows are grouped is asked of the whole run, what a student gives once there is one (`own`).
    teacher_gives = frozenset({"logits"}) if hints is None else hints.gives() | {"logits"}
    every = frozenset({"logits", "features", "head", "maps", "relations"})
    situation = Situation(task, num_classes, teacher_gives, students_give=every, grouped=True)
    _refuse(_losses(entry), situation)
    if teacher_logits is None or len(teacher_logits) != len(labels):
        raise SpecError(
            "The teacher answered {answers} rows, the training part has {rows}.",
            "Every training row needs the teacher's answer.",
            "teacher_rows",
            answers=0 if teacher_logits is None else len(teacher_logits),
            rows=len(labels),
        )
    if made is not None:
        refuse_unheard(spec)
    return Objective(labels, hard, entry, spec, teacher_logits, situation, hints, groups, made)


def refuse_unheard(spec: Any) -> None:
    """Refuse made rows for a lesson that leaves the teacher out. Errors: SpecError `made_rows_unheard`."""
    if not spec.weights()[1]:
        raise SpecError(
            "Made rows have the teacher's answers and no labels, and with alpha 0 nothing is heard of the teacher.",
            "Set made_rows to 0, or alpha above 0.",
            "made_rows_unheard",
        )


def kinds_of(task: str, num_outputs: int) -> Kinds:
    """Say which logits belong to which task of a row, where it has several; nothing where it has one."""
    return task_of(task).kinds(num_outputs) if IN_PARTS(task_of(task)) else ()


def _losses(entry: Entry[LossFunction]) -> tuple[str, ...]:
    """Name the losses of a lesson."""
    found: tuple[str, ...] = entry.facts.get("terms", (entry.name,))
    return found


def own_labels(task: str, labels: Array, made: Array) -> Array:
    """Put after the labels what the teacher takes made rows for: for losses that compare a teacher with the truth.

    The hard loss never reads them. Shape: labels (N,), made (M, C) -> (N + M,).
    """
    told = task_of(task).decided(made)
    return np.concatenate([labels, told.astype(labels.dtype)])


def _refuse(losses: Iterable[str], situation: Situation) -> None:
    for name in losses:
        if why_not := LOSSES.get(name).why_not(situation):
            raise SpecError(
                "The objective '{name}' {why}.", "Choose another objective.", "objective_task", name=name, why=why_not
            )


class Objective:
    """The loss of a batch of training rows, given by their positions. Holds answers, never a teacher.

    Made rows follow the training rows in `labels` and in a batch. They have a part in the soft loss alone, which is then the mean
    over all rows of the batch; the hard loss is the mean over its training rows.

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
        hints: Hints | None = None,
        groups: Array | None = None,
        made: Array | None = None,
    ) -> None:
        self.own_rows: int | None = None  # training rows, where made ones follow
        if made is not None:
            assert teacher_logits is not None and situation is not None
            self.own_rows, labels = len(labels), own_labels(situation.task, labels, made)
            teacher_logits = np.concatenate([teacher_logits, made])
        dtype = np.int64 if labels.dtype.kind in "iu" else np.float32
        self.labels = torch.from_numpy(np.ascontiguousarray(labels, dtype=dtype))
        self.hard, self.soft, self.spec, self.situation = hard, soft, spec, situation
        weights: tuple[float, float] = spec.weights() if soft else (1.0, 0.0)
        self.hard_weight, self.soft_weight = weights
        self.teacher: Tensor | None = None
        self.hints = None if hints is None else HintTensors(hints)
        self.groups = None if groups is None else torch.from_numpy(groups)
        self.known: Tensor | None = None
        if self.soft_weight:
            assert teacher_logits is not None
            self.teacher = torch.from_numpy(np.ascontiguousarray(teacher_logits, dtype=np.float32))
            self.known = partly_known(self.teacher)
        taught = situation is not None and teacher_logits is not None
        self.kinds = kinds_of(situation.task, teacher_logits.shape[1]) if taught else ()  # type: ignore[union-attr]
        told = None if situation is None else task_of(situation.task)
        self.spread = told.spread if told is not None and told.compact else None
        self.module: nn.Module | None = None
        self.reused: ReusedHead | None = None
        self.written: type[Gradient] | None = soft.facts.get("gradient") if soft and self.soft_weight else None
        if self.written is not None and (
            self.known is not None
            or self.own_rows is not None
            or self.spread is not None
            or self.written.hard_loss is not type(hard)
            or hard.weights is not None
        ):
            self.written = None
        self._halves: tuple[Gradient, Tensor, Tensor] | None = None
        self._asked, self._measuring = spec, False
        self._weights: list[Tensor] = []  # of the student, by which terms are compared that do not reach its logits

    def own(self, student: nn.Module, inputs: InputSpec, seed: int, by_rounds: bool = False) -> None:
        """Make the loss's own module, for the widths of this student; losses without one stay as they are.

        Its start weights come from `seed` alone, and the student's are not touched. `by_rounds`: the student does not learn by
        gradient descent. Errors: SpecError `objective_task` when the student does not give what the loss needs.
        """
        self._weights = list(student.parameters())
        if self.soft is None or self.teacher is None or not (self.soft.needs or "module" in self.soft.facts):
            return
        student.eval()
        show(student, maps="student_maps" in self.soft.needs, relations="student_relations" in self.soft.needs)
        example = torch.from_numpy(inputs.example(2))
        with torch.no_grad():
            found: Outputs = student(example)
        head = head_of(student, example) if "student_head" in self.soft.needs else None
        student.train()
        assert self.situation is not None
        gives = {
            "logits",
            *(["features"] if found.features is not None else []),
            *(["head"] if head is not None else []),
        }
        gives |= {"relations"} if "words" in found.hidden else {"maps"} if found.hidden else set()
        _refuse(_losses(self.soft), replace(self.situation, students_give=frozenset(gives), by_rounds=by_rounds))
        if make := self.soft.facts.get("module"):
            with start_weights(derive(seed, "loss")):
                self.module = make(
                    self.spec, found, self._answers(self.teacher, torch.arange(2), found.logits.shape[-1])
                )
        if self.soft.facts.get("reuses_head"):
            assert self.hints is not None and self.hints.head is not None and head is not None
            self.reused = ReusedHead(self.hints.head, self._projector(), head)

    def _projector(self) -> nn.Linear:
        """Return the module over which the teacher's last layer is reused."""
        assert self.soft is not None and self.module is not None
        own = [name for name in self.soft.facts.get("terms", ()) if LOSSES.get(name).facts.get("reuses_head")]
        found = self.module[own[0]] if isinstance(self.module, nn.ModuleDict) else self.module
        assert isinstance(found, nn.Linear)
        return found

    def close(self) -> None:
        """Let the student answer by itself as it did in the lesson, now that the steps of an epoch are done."""
        if self.reused is not None:
            self.reused.settle()

    def begin(self, epoch: int, planned: int) -> None:
        """Take the lesson of an epoch, counted from 1, of so many planned ones; its first batch is measured."""
        if self.soft is not None:
            self.spec = self._asked.at(epoch, planned)
        self._measuring = self.teacher is not None

    def __call__(self, outputs: Outputs, index: Tensor) -> BatchTerms:
        """Compute total = hard weight x hard + soft weight x soft; a term of weight 0 gets no gradient."""
        if self.labels.device != index.device:
            self.labels = self.labels.to(index.device)
        if self.teacher is not None and self.written is not None and outputs.members is None:
            return self._by_gradient(self.written, self.teacher, outputs.logits, index)
        if self.reused is not None and outputs.features is not None:
            outputs = replace(outputs, logits=self.reused(outputs.features))
        labels = self.labels.index_select(0, index)
        if self.teacher is None:  # alpha 0 is the baseline, bit for bit
            hard = self._by_labels(outputs, labels, index)
            return BatchTerms(hard, hard)
        return self._by_graph(self.teacher, outputs, labels, index)

    def _by_graph(self, teacher: Tensor, outputs: Outputs, labels: Tensor, index: Tensor) -> BatchTerms:
        assert self.soft is not None
        if teacher.device != index.device:
            self.teacher = teacher = teacher.to(index.device)
        if self.known is not None:
            self.known = self.known.to(index.device)
        known = None if self.known is None else self.known[index]
        answers = self._answers(teacher, index, outputs.logits.shape[-1])
        if "terms" in self.soft.facts:
            parts = weighted(outputs, answers, labels, known, self.spec, self.module)
            soft = total_of(parts, outputs)
        else:
            more = (self.spec,) if self.module is None else (self.spec, self.module)
            soft = soft_term(self.soft.make, outputs, answers, labels, known, *more)
            parts = {self.soft.name: soft}
        if not self.hard_weight:
            with torch.no_grad():
                hard = self._by_labels(outputs, labels, index)
            return BatchTerms(self.soft_weight * soft, hard, soft, shares=self._measured(parts, outputs))
        hard = self._by_labels(outputs, labels, index)
        total = self.hard_weight * hard + self.soft_weight * soft
        if not self._measuring:
            return BatchTerms(total, hard, soft)
        if "terms" not in self.soft.facts:
            parts = {self.soft.name: self.soft_weight * soft}
        return BatchTerms(total, hard, soft, shares=self._measured({LABELS: self.hard_weight * hard, **parts}, outputs))

    def _measured(self, parts: dict[str, Tensor], outputs: Outputs) -> shares.Shares | None:
        """Compare the parts on the first batch of an epoch."""
        if not self._measuring:
            return None
        self._measuring = False
        return shares.measure(parts, outputs.logits, self._weights)

    def _by_labels(self, outputs: Outputs, labels: Tensor, index: Tensor) -> Tensor:
        """Compute the hard loss of training rows, with their groups where the task deals by group."""
        if self.own_rows is not None:
            at = (index < self.own_rows).nonzero().squeeze(1)
            outputs, labels, index = outputs.rows(at), labels[at], index[at]
        if self.groups is None:
            return self.hard(outputs, labels)
        self.groups = self.groups.to(index.device)
        return self.hard(outputs, labels, self.groups.index_select(0, index))

    def _answers(self, teacher: Tensor, index: Tensor, num_outputs: int) -> Outputs:
        """Look up what the teacher said about some rows; what was kept of it is spread over the outputs."""
        answers = teacher.index_select(0, index)
        if self.spread is not None:
            answers = self.spread(answers, num_outputs)
        found = Outputs(answers) if self.hints is None else self.hints.beside(answers, index)
        if self.kinds:
            found = replace(found, kinds=self.kinds)
        if self.groups is None:
            return found
        self.groups = self.groups.to(index.device)
        return replace(found, group=self.groups.index_select(0, index))

    def _by_gradient(self, written: type[Gradient], teacher: Tensor, z: Tensor, index: Tensor) -> BatchTerms:
        """Take the written gradient for a stack of two, the teacher's half above the labels': small networks wait for the
        number of operations, not for their size."""
        if self._halves is None:
            assert written.hard is not None
            rows = teacher.to(z.device, z.dtype)
            labels = self.labels if self.labels.is_floating_point() else F.one_hot(self.labels, rows.shape[1])
            tables = [written.table(rows, self.labels, self.spec), labels.view(rows.shape).to(z.dtype)]

            def column(values: Sequence[float]) -> Tensor:
                return torch.tensor(values, dtype=z.dtype, device=z.device).view(-1, 1, 1)

            both = [self.soft_weight, self.hard_weight]
            self._halves = written([self.spec, written.hard], both, column), torch.stack(tables), column(both).view(2)
        gradient, table, weights = self._halves
        stack, told = z.detach().t().expand(2, -1, -1), table.index_select(1, index).transpose(1, 2)
        losses = gradient.losses(stack, told)
        soft, hard = losses.unbind()
        slopes, found = gradient.slope(stack, told), None
        if self._measuring:
            self._measuring = False
            assert self.soft is not None
            by_teacher, by_labels = shares.size(slopes, -2).tolist()
            found = shares.of_sizes({LABELS: by_labels, self.soft.name: by_teacher})
        return BatchTerms(torch.dot(losses, weights), hard, soft, (z, slopes.sum(0).t()), found)
