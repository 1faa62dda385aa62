"""The gradient of the lesson for a stack of networks: what each logit should change by.

Written out for the losses that have the fact `gradient`; any other registered loss is differentiated by torch, network by network.

Legend: S networks, G seeds (networks of one seed see the same rows), B rows, N training rows, C outputs.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from kd_core.data.dataset import Array
from kd_core.distill import objective as objectives
from kd_core.distill.base import LOSSES, Gradient, partly_known, soft_term
from kd_core.distill.shares import Shares, of_sizes, size
from kd_core.distill.stack.summed import Summed, name_of, summed
from kd_core.distill.sweep.variants import TEACHER, Lessons, tables
from kd_core.distill.terms import loss_of
from kd_core.errors import SpecError
from kd_core.models.base import Outputs
from kd_core.specs import LABELS, SEVERAL, Choice
from kd_core.task import task_of


class StackedLesson:
    """Turns logits into their gradient: hard weight x hard loss + soft weight x soft loss, mean over rows.

    `chosen` holds one loss per network (None: the baseline); all that are not None name one. `taught_by` names the
    table of each network, the teacher's when empty. `made`: how many of the last rows are made ones; they come last in a batch too,
    which holds as many of them as training rows, and have a part in the soft loss alone (see `Objective`).
    Shape: labels (N,) classes or scaled targets, every table (N, C).
    """

    def __init__(
        self,
        task: str,
        chosen: Sequence[Choice | None],
        labels: Array,
        lessons: Lessons,
        class_weights: Array | None,
        dtype: torch.dtype,
        device: torch.device,
        taught_by: Sequence[str] | None = None,
        made: int = 0,
    ) -> None:
        self.own_rows = len(labels) - made if made else None
        self.dtype, self.device, self.task = dtype, device, task
        told = task_of(task)
        self.labels = torch.from_numpy(np.ascontiguousarray(labels, dtype=told.learned_dtype)).to(device)
        self.hard_loss = told.hard_loss(class_weights).to(device, dtype)
        known, names = tables(lessons), list(taught_by or [TEACHER] * len(chosen))
        self.name, self.specs = _settings(task, chosen, labels, known, names, class_weights)
        for spec in self.specs if made else ():
            objectives.refuse_unheard(spec)
        weights = [spec.weights() if spec is not None else (1.0, 0.0) for spec in self.specs]
        self._weights = torch.tensor(weights, dtype=torch.float64)
        one = next((c for c in chosen if c is not None), None)
        self._loss = loss_of(one) if one else None
        self._written: type[Gradient] | None = None
        if one and self._loss:
            self._written = summed(one) if one.name == SEVERAL else self._loss.facts.get("gradient")
            self._default = next(spec for spec in self.specs if spec is not None)  # stands in where nobody is taught
        self._tell(known, names)
        self._spread()

    def _tell(self, known: dict[str, Array], names: Sequence[str]) -> None:
        """Compute what the teachers contribute, once per lesson and settings that decide it."""
        heard = sorted({name for name, soft in zip(names, self._soft(), strict=True) if soft})
        first = [torch.from_numpy(np.array(known[name][:, :1], dtype=np.float32)) for name in heard]
        answered = (
            partly_known(torch.stack(first).sum(0)) if first else None
        )  # a lesson and its placebo lack the same rows
        self.known = None if answered is None else answered.to(self.device)
        facts = (
            [LOSSES.get(name).facts for name in self._loss.facts.get("terms", (self._loss.name,))] if self._loss else []
        )
        if self.known is not None and not all(f.get("row_mean") and f.get("zero_at_equality") for f in facts):
            self._written = None  # a row without an answer can't be made to count for nothing
        key = self._written.key if self._written else (lambda spec: None)
        asked = [None if not soft else (n, key(s)) for n, s, soft in zip(names, self.specs, self._soft(), strict=True)]
        told: dict[Hashable, Tensor] = {}
        for name, spec, wanted in zip(names, self.specs, asked, strict=True):
            if wanted and wanted not in told:
                z = torch.from_numpy(np.nan_to_num(np.asarray(known[name], dtype=np.float32))).to(
                    self.device, self.dtype
                )
                told[wanted] = self._written.table(z, self.labels, spec) if self._written else z
        self.told = torch.cat(list(told.values())) if told else None
        self._part = [list(told).index(wanted) if wanted else 0 for wanted in asked]

    def _soft(self) -> list[float]:
        found: list[float] = self._weights[:, 1].tolist()
        return found

    def _spread(self) -> None:
        """Lay out the settings of the networks as (S, 1, 1) columns."""

        def column(values: Tensor | Sequence[float]) -> Tensor:
            return torch.as_tensor(values, dtype=torch.float64).to(self.device, self.dtype).view(-1, 1, 1)

        self.hard = column(self._weights[:, 0])
        self.plain = not any(self._soft())  # nobody listens to the teacher
        self.told_row = torch.tensor(self._part, device=self.device).view(-1, 1) * len(self.labels)
        if self._loss and self._written:
            specs = [self._default if spec is None else spec for spec in self.specs]
            self._gradient = self._written(specs, self._soft(), column)

    def keep(self, rows: Tensor) -> None:
        """Drop every network but these."""
        chosen = rows.tolist()
        self.specs = [self.specs[i] for i in chosen]
        self._part = [self._part[i] for i in chosen]
        self._weights = self._weights[chosen]
        self._spread()

    def gradient(self, z: Tensor, index: Tensor) -> Tensor:
        """Compute d loss / d logits, each network's own. Shape: z (S, C, B), index (S, B) rows -> (S, C, B)."""
        dz = self._hard(z, index)
        return dz if self.plain else dz.add_(self._soft_gradient(z, index))

    def _soft_gradient(self, z: Tensor, index: Tensor) -> Tensor:
        soft = self._gradient.slope(z, self._answers(index)) if self._written else self._differentiate(z, index)
        if (
            self.known is not None
        ):  # a row's gradient is its own where it is written out; where not, this changes nothing
            soft = soft * self.known[index].unsqueeze(1)
        return soft

    def shares(self, z: Tensor, index: Tensor) -> list[Shares | None]:
        """Compare, for each network that listens to the teacher, what labels and teacher pull at. Shape: as `gradient`."""
        if self.plain or self.name is None:
            return [None] * len(self.specs)
        parts, names = [self._soft_gradient(z, index)], [self.name]
        if self._written and isinstance(self._gradient, Summed):
            parts, names = self._gradient.parts(z, self._answers(index)), list(self._gradient.names)
        sizes = [size(g, -2).tolist() for g in (self._hard(z, index), *parts)]
        told = zip(zip(*sizes, strict=True), self._soft(), strict=True)
        return [of_sizes(dict(zip([LABELS, *names], own, strict=True))) if soft else None for own, soft in told]

    @property
    def recordable(self) -> bool:
        """Say whether the shapes of a step do not depend on which rows are in it."""
        return self.known is None or self._written is not None

    def losses(self, z: Tensor, index: Tensor) -> Tensor:
        """Compute each network's hard and soft loss before their weights, 0 where nobody listens to the teacher.

        Shape: z (S, C, B), index (S, B) -> (2, S), means over the rows.
        """
        each = self.hard_loss.of_stack(z, self._labels(index))
        if self.own_rows is None:
            hard = each.mean(1)
        else:
            own = index < self.own_rows
            hard = (each * own).sum(1) / own.sum(1)
        soft = torch.zeros_like(hard) if self.plain else self._taught(z, index)
        return torch.stack([hard, soft])

    def epoch_rows(self, losses: Tensor, shares: Sequence[Shares | None]) -> list[dict[str, Any]]:
        """Lay out an epoch's mean losses, network by network; `soft` is None for one without a teacher's share. Shape: (2, S)."""
        found: list[dict[str, Any]] = []
        for spec, mine, hard, soft in zip(self.specs, shares, *losses.tolist(), strict=True):
            weights = spec.weights() if spec is not None else (1.0, 0.0)
            told = {"loss": weights[0] * hard + weights[1] * soft, "hard": hard, "soft": soft if weights[1] else None}
            found.append(told | ({"shares": mine} if mine else {}))
        return found

    def _taught(self, z: Tensor, index: Tensor) -> Tensor:
        told = self._answers(index)
        if self._written:
            if self.known is not None:  # a student is not away from itself
                labels = self.labels[index]
                own = [
                    self._written.table(x.T, y, spec or self._default)
                    for x, y, spec in zip(z, labels, self.specs, strict=True)
                ]
                told = torch.where(self.known[index].unsqueeze(1), told, torch.stack(own).transpose(1, 2))
            return self._gradient.losses(z, told)
        found = z.new_zeros(len(z))
        for s, spec in enumerate(self.specs):
            if spec is not None and spec.weights()[1]:
                found[s] = self._term(s, z[s].T, told[s].T, index[s])
        return found

    def _term(self, s: int, z: Tensor, teacher: Tensor, index: Tensor) -> Tensor:
        """Compute one network's soft loss by the registered function. Shape: z and teacher (B, C), index (B,)."""
        assert self._loss is not None
        known = None if self.known is None else self.known[index]
        told = Outputs(teacher, kinds=objectives.kinds_of(self.task, teacher.shape[1]))
        return soft_term(self._loss.make, Outputs(z), told, self.labels[index], known, self.specs[s])

    def _hard(self, z: Tensor, index: Tensor) -> Tensor:
        if self.own_rows is None:
            return self.hard_loss.stack_gradient(z, self._labels(index, apart=True), self.hard)
        own = index.shape[1] // 2
        labels = self._labels(index[:, :own], apart=True)
        return F.pad(self.hard_loss.stack_gradient(z[..., :own], labels, self.hard), (0, own))

    def _labels(self, index: Tensor, apart: bool = False) -> Tensor:
        """Look up labels. Shape: (S, B) -> (S, B), (S, 1, B) where `apart`; of rows with several (S, T, B)."""
        if self.labels.ndim > 1:
            return torch.embedding(self.labels, index).transpose(1, 2)
        found = self.labels.take(index)
        return found.unsqueeze(1) if apart else found

    def _answers(self, index: Tensor) -> Tensor:
        """Look up what each network is told. Shape: index (S, B) -> (S, C, B)."""
        assert self.told is not None
        return torch.embedding(self.told, index + self.told_row).transpose(1, 2)

    def _differentiate(self, z: Tensor, index: Tensor) -> Tensor:
        """Let torch differentiate a loss that has no written gradient."""
        leaf = z.transpose(1, 2).contiguous().requires_grad_()
        told = self._answers(index).transpose(1, 2)
        with torch.enable_grad():
            total = leaf.new_zeros(())
            for s, spec in enumerate(self.specs):
                weight = 0.0 if spec is None else spec.weights()[1]
                if weight:
                    total = total + weight * self._term(s, leaf[s], told[s], index[s])
            (found,) = torch.autograd.grad(total, leaf)
        return found.transpose(1, 2)


def _settings(
    task: str,
    chosen: Sequence[Choice | None],
    labels: Array,
    known: dict[str, Array],
    taught_by: Sequence[str],
    weights: Array | None,
) -> tuple[str | None, list[Any]]:
    """Check every distinct choice as separate training does; return the loss's name and the parsed settings."""
    names = sorted({name_of(c) for c in chosen if c is not None})
    if len(names) > 1:
        raise SpecError(
            "One stack can't mix the losses {names}.",
            "Train them in separate stacks.",
            "mixed_losses",
            names=", ".join(names),
        )
    parsed: dict[str, Any] = {}
    checked: set[tuple[str, str]] = set()
    for choice, lesson in zip(chosen, taught_by, strict=True):
        if choice is not None and (choice.to_json(), lesson) not in checked:
            checked.add((choice.to_json(), lesson))
            made = objectives.make(task, choice, labels, known.get(lesson), weights)
            parsed[choice.to_json()] = made.spec
    named = next((c.name for c in chosen if c is not None), None)
    return named, [None if c is None else parsed[c.to_json()] for c in chosen]
