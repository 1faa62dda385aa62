"""One fit for each target of a row: how a model that answers one target answers a task of several labels, or of several parts.

Legend: N rows, C outputs.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kd_core.data.dataset import Array
from kd_core.errors import KDError
from kd_core.seeding import derive
from kd_core.task import task_of, yes_or_no
from kd_core.teachers.base import Fit, FitData, FittedTeacher, Notify, ShouldStop


@dataclass(frozen=True)
class _Question:
    """One target inside: its task, its labels, where its logits lie, and which rows know it."""

    name: str
    task: str
    y: Array
    at: Array
    rows: Array

    @property
    def is_label(self) -> bool:
        """Whether its one logit is the log odds of a yes."""
        return len(self.at) == 1 and task_of(self.task).has_classes


def questions(task: str, y: Array, num_outputs: int) -> Iterator[_Question]:
    """List the targets inside a task, none where it is of one target. Shape: y as losses want it."""
    told = task_of(task)
    if told.each_alone:
        yes = (y > 0.5).astype(np.int64)
        every = np.arange(len(y))
        for k in range(num_outputs):
            yield _Question(str(k), yes_or_no().name, yes[:, k], np.array([k]), every)
        return
    if told.target != "several":
        return
    marks = np.arange(len(y) * num_outputs).reshape(
        len(y), num_outputs
    )  # each logit by its place: a part says which are its own
    for name, (own, labels, z, *_) in told.parts(y, marks, 0.0, 1.0).items():
        kind = task_of(own)
        z = np.asarray(z, np.int64)
        at = z[0] % num_outputs if len(z) else np.zeros(0, np.int64)
        yield _Question(name, own, np.asarray(labels).astype(kind.learned_dtype), at, z[:, 0] // num_outputs)


@dataclass(frozen=True)
class Constant:
    """One answer for every row: of a target that has a single class in the rows to learn from. Shape: z (C,)."""

    z: Array

    def logits(self, x: Array) -> Array:
        return np.repeat(self.z[None].astype(np.float32), x.shape[0], axis=0)

    def num_parameters(self) -> int:
        return len(self.z)

    def size_bytes(self) -> int:
        return 4 * len(self.z)

    def module(self) -> None:
        return None

    def details(self) -> dict[str, Any]:
        return {"constant": True}


@dataclass(frozen=True)
class Together:
    """Fits of several targets, side by side; each answers for its own logits."""

    fits: tuple[tuple[_Question, FittedTeacher], ...]
    num_outputs: int

    def logits(self, x: Array) -> Array:
        """Rows as they were fitted on -> (N, C) float32: log odds of a label, log-probabilities of classes, a scaled number."""
        found = np.full((x.shape[0], self.num_outputs), np.nan, dtype=np.float32)
        for question, fit in self.fits:
            z = fit.logits(x)
            found[:, question.at] = z[:, 1:] - z[:, :1] if question.is_label else z
        return found

    def head(self) -> Array | None:
        """Return all as one linear layer where each fit is one, as `Probe.head`. Shape: (C, D + 1), the bias last."""
        layers = {i: getattr(fit, "head", lambda: None)() for i, (_, fit) in enumerate(self.fits)}
        wide = [layer.shape[1] for layer in layers.values() if layer is not None]
        if not wide or any(layers[i] is None and not isinstance(fit, Constant) for i, (_, fit) in enumerate(self.fits)):
            return None
        found = np.zeros((self.num_outputs, wide[0]), dtype=np.float32)
        for i, (question, fit) in enumerate(self.fits):
            layer = layers[i]
            if layer is None:
                z = fit.logits(np.zeros((1, 1), np.float32))[0]
                layer = np.column_stack([np.zeros((len(z), wide[0] - 1)), z])
            found[question.at] = layer[1:] - layer[:1] if question.is_label else layer
        return found

    def num_parameters(self) -> int:
        return sum(fit.num_parameters() for _, fit in self.fits)

    def size_bytes(self) -> int:
        return sum(fit.size_bytes() for _, fit in self.fits)

    def module(self) -> None:
        return None

    def details(self) -> dict[str, Any]:
        """Add up what the fits tell as counts; how many targets, and how many of them had one class only."""
        told = [fit.details() for _, fit in self.fits]
        counts = {n: sum(int(d.get(n, 0)) for d in told) for n in ("rounds", "trees") if any(n in d for d in told)}
        alone = sum(bool(d.get("constant")) for d in told)
        return {"fits": len(told), **counts, **({"constant": alone} if alone else {})}


def each_target(fit: Fit) -> Fit:
    """Let a fit that learns one target answer for each target of a row, one fit after another; others stay as they are."""

    @functools.wraps(fit)
    def fitted(spec: Any, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedTeacher:
        asked = list(questions(data.task, data.y, data.num_outputs))
        if not asked:
            return fit(spec, data, seed, notify, should_stop)
        validation = {q.name: q for q in questions(data.task, data.y_validation, data.num_outputs)}
        found = []
        for number, question in enumerate(asked):
            own = _data(data, question, validation[question.name])
            found.append((question, _one(fit, spec, own, derive(seed, "target", number), notify, should_stop)))
        return Together(tuple(found), data.num_outputs)

    return fitted


def _data(data: FitData, question: _Question, validation: _Question) -> FitData:
    """Narrow what there is to learn from to one target. Errors: KDError `part_of_parts` for a part that has parts itself."""
    if task_of(question.task).target not in ("classes", "number"):
        raise KDError(
            "The part '{name}' is of the task {task}, which one model does not answer.",
            "Choose a teacher that is a network.",
            "part_of_parts",
            name=question.name,
            task=question.task,
        )
    return replace(
        data,
        task=question.task,
        num_outputs=2 if question.is_label else len(question.at),
        x=data.x if len(question.rows) == data.x.shape[0] else data.x[question.rows],
        y=question.y,
        x_validation=data.x_validation[validation.rows],
        y_validation=validation.y,
        target_mean=0.0,
        target_std=1.0,
        groups=None if data.groups is None else data.groups[question.rows],
        groups_validation=None if data.groups_validation is None else data.groups_validation[validation.rows],
    )


def _one(fit: Fit, spec: Any, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedTeacher:
    """Fit one target. Rows of one class only, or none, or a single value, are answered by a constant."""
    task, seen, held = task_of(data.task), np.unique(data.y), np.unique(data.y_validation)
    if len(seen) >= 2 and (task.is_number or np.isin(held, seen).any()):
        return fit(spec, data, seed, notify, should_stop)
    if not len(data.y):
        return Constant(np.zeros(data.num_outputs))
    return Constant(np.asarray(task.chance(data.y, data.num_outputs), np.float64))
