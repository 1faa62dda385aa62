"""The gradient of the lesson for a stack of networks: what each logit should change by.

Written out where the formula is short (cross-entropy, squared error, softened KL); any other registered loss is
differentiated by torch, network by network.

Legend: S networks, G seeds (networks of one seed see the same rows), B rows, N training rows, C outputs, L lessons (tables of
soft labels), K distinct pairs of a lesson and a temperature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kd_core.data.dataset import Array
from kd_core.distill import objective as objectives
from kd_core.distill.base import LOSSES
from kd_core.distill.sweep.variants import TEACHER, Lessons, tables
from kd_core.errors import SpecError
from kd_core.models.base import Outputs
from kd_core.specs import Choice
from kd_core.task import task_of

SoftGradient = Callable[["StackedLesson", Tensor, Tensor], Tensor]


class StackedLesson:
    """Turns logits into their gradient: hard weight x hard loss + soft weight x soft loss, mean over rows.

    `chosen` holds one loss per network (None: the baseline); all that are not None name one. `taught_by` names the
    table of each network, the teacher's when empty.
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
    ) -> None:
        self.dtype, self.device = dtype, device
        told = task_of(task)
        self.labels = torch.from_numpy(np.ascontiguousarray(labels, dtype=told.learned_dtype)).to(device)
        self.hard_loss = told.hard_loss(class_weights).to(device, dtype)
        known, names = tables(lessons), list(taught_by or [TEACHER] * len(chosen))
        self.name, self.specs = _settings(task, chosen, labels, known, names, class_weights)
        weights = [spec.weights() if spec is not None else (1.0, 0.0) for spec in self.specs]
        self._weights = torch.tensor(weights, dtype=torch.float64)
        self._analytic = _SOFT.get(self.name or "")
        self.teacher: Tensor | None = None
        heard = sorted({name for name, (_, soft) in zip(names, weights, strict=True) if soft})
        self._lesson = [heard.index(name) if name in heard else 0 for name in names]
        if heard:
            stacked = np.concatenate([np.asarray(known[name], dtype=np.float32) for name in heard])
            self.teacher = torch.from_numpy(stacked).to(device, dtype)
        self._temperatures = [
            float(getattr(spec, "temperature", 1.0)) if spec is not None else 1.0 for spec in self.specs
        ]
        self._soften()
        self._spread()

    def _soften(self) -> None:
        """Soften every lesson once per distinct temperature: (K x N, C)."""
        soft = self._weights[:, 1].tolist()
        asked = zip(self._lesson, self._temperatures, soft, strict=True)
        self._distinct = sorted({(lesson, t) for lesson, t, s in asked if s})
        self.softened: Tensor | None = None
        if self.name == "hinton" and self.teacher is not None:
            rows = torch.split(self.teacher, len(self.labels))
            self.softened = torch.cat([torch.softmax(rows[lesson] / t, dim=1) for lesson, t in self._distinct])

    def _spread(self) -> None:
        """Lay out the settings of the networks as (S, 1, 1) columns."""

        def column(values: Tensor | Sequence[float]) -> Tensor:
            return torch.as_tensor(values, dtype=torch.float64).to(self.device, self.dtype).view(-1, 1, 1)

        hard, soft = self._weights.unbind(1)
        t = torch.tensor(self._temperatures, dtype=torch.float64)
        self.hard, self.soft, self.cooled = column(hard), column(soft), column(1.0 / t)
        self.soft_step = column(soft * t)
        self.plain = bool((soft == 0).all())  # nobody listens to the teacher
        own = zip(self._lesson, self._temperatures, strict=True)
        first = [self._distinct.index(v) if v in self._distinct else 0 for v in own]
        self.softened_row = torch.tensor(first, device=self.device).view(-1, 1) * len(self.labels)
        self.lesson_row = torch.tensor(self._lesson, device=self.device).view(-1, 1) * len(self.labels)

    def keep(self, rows: Tensor) -> None:
        """Drop every network but these."""
        chosen = rows.tolist()
        self.specs = [self.specs[i] for i in chosen]
        self._temperatures = [self._temperatures[i] for i in chosen]
        self._lesson = [self._lesson[i] for i in chosen]
        self._weights = self._weights[chosen]
        self._spread()

    def gradient(self, z: Tensor, index: Tensor) -> Tensor:
        """Compute d loss / d logits, each network's own. Shape: z (S, C, B), index (S, B) rows -> (S, C, B)."""
        dz = self._hard(z, index)
        if self.plain:
            return dz
        soft = self._analytic(self, z, index) if self._analytic else self._differentiate(z, index)
        return dz.add_(soft)

    def losses(self, z: Tensor, index: Tensor) -> Tensor:
        """Compute each network's hard and soft loss before their weights, 0 where nobody listens to the teacher.

        Shape: z (S, C, B), index (S, B) -> (2, S), means over the rows.
        """
        labels = self.labels.index_select(0, index.reshape(-1)).view(index.shape)
        hard = self.hard_loss.of_stack(z, labels).mean(1)
        soft = torch.zeros_like(hard) if self.plain else self._soft(z, index)
        return torch.stack([hard, soft])

    def _soft(self, z: Tensor, index: Tensor) -> Tensor:
        assert self.name is not None and self.teacher is not None
        if self.name in _SOFT_LOSSES:
            return _SOFT_LOSSES[self.name](self, z, index)
        loss = LOSSES.get(self.name).make
        teacher = self.answers(self.teacher, index + self.lesson_row).transpose(1, 2)
        found = z.new_zeros(len(z))
        for s, spec in enumerate(self.specs):
            if spec is not None and spec.weights()[1]:
                found[s] = loss(Outputs(z[s].T), Outputs(teacher[s]), self.labels[index[s]], spec)
        return found

    def _hard(self, z: Tensor, index: Tensor) -> Tensor:
        labels = self.labels.index_select(0, index.reshape(-1)).view(index.shape).unsqueeze(1)
        return self.hard_loss.stack_gradient(z, labels, self.hard)

    def answers(self, table: Tensor, index: Tensor) -> Tensor:
        """Look up what the teacher said. Shape: table (rows, C), index (S, B) -> (S, C, B)."""
        return table.index_select(0, index.reshape(-1)).view(*index.shape, -1).transpose(1, 2)

    def _differentiate(self, z: Tensor, index: Tensor) -> Tensor:
        """Let torch differentiate a loss that has no written gradient."""
        assert self.name is not None and self.teacher is not None
        loss = LOSSES.get(self.name).make
        leaf = z.transpose(1, 2).contiguous().requires_grad_()
        teacher = self.answers(self.teacher, index + self.lesson_row).transpose(1, 2)
        with torch.enable_grad():
            total = leaf.new_zeros(())
            for s, spec in enumerate(self.specs):
                weight = 0.0 if spec is None else spec.weights()[1]
                if weight:
                    labels = self.labels[index[s]]
                    total = total + weight * loss(Outputs(leaf[s]), Outputs(teacher[s]), labels, spec)
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
    names = sorted({c.name for c in chosen if c is not None})
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
    return (names[0] if names else None), [None if c is None else parsed[c.to_json()] for c in chosen]


def _hinton(lesson: StackedLesson, z: Tensor, index: Tensor) -> Tensor:
    """Gradient of alpha T² KL(p_teacher ‖ p_student): alpha T (softmax(z / T) - p_teacher) / B."""
    assert lesson.softened is not None
    d = torch.softmax(z * lesson.cooled, dim=1).sub_(lesson.answers(lesson.softened, index + lesson.softened_row))
    return d.mul_(lesson.soft_step / index.shape[1])


def _mse(lesson: StackedLesson, z: Tensor, index: Tensor) -> Tensor:
    """Gradient of alpha x mean squared distance to the teacher."""
    assert lesson.teacher is not None
    return (z - lesson.answers(lesson.teacher, index + lesson.lesson_row)).mul_(lesson.soft * (2.0 / z[0].numel()))


def _hinton_loss(lesson: StackedLesson, z: Tensor, index: Tensor) -> Tensor:
    assert lesson.softened is not None
    p = lesson.answers(lesson.softened, index + lesson.softened_row)
    divergence = (torch.xlogy(p, p) - p * torch.log_softmax(z * lesson.cooled, dim=1)).sum(1).mean(1)
    return divergence / lesson.cooled.view(-1).square()


def _mse_loss(lesson: StackedLesson, z: Tensor, index: Tensor) -> Tensor:
    assert lesson.teacher is not None
    return (z - lesson.answers(lesson.teacher, index + lesson.lesson_row)).square().mean((1, 2))


_SOFT: dict[str, SoftGradient] = {"hinton": _hinton, "mse": _mse}
_SOFT_LOSSES: dict[str, SoftGradient] = {"hinton": _hinton_loss, "mse": _mse_loss}
