"""Several tasks of one row at once: classes and numbers mixed, each a slice of the same logits.

What the heads are stands behind the colon of the name, as JSON: `multitask:[{"name": "rating", "task": "regression"}, ...]`.
A person who asks for tasks writes `multitask:rating=regression,department=multiclass`, or `multitask:{"rating": "regression"}`; what is not
named is found out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from kd_core.errors import KDError, SpecError
from kd_core.limits import CLASSES
from kd_core.task import Column, HardLoss, Question, Scale, TargetKind, Task, add, task_of

Array = npt.NDArray[Any]
FEWEST, MOST = 2, 30  # tasks of a row
UNEVEN = 10**6  # more than any view averages by


@dataclass(frozen=True)
class Head:
    """One of the tasks: its name (the column), its task, its slice of the logits, and the names of its classes (none for a number)."""

    name: str
    task: str
    columns: slice
    classes: tuple[str, ...] = ()

    @property
    def own(self) -> Task:
        """Return the task itself."""
        return task_of(self.task)

    def told(self) -> dict[str, Any]:
        """Write it as `several_of` reads it."""
        return {"name": self.name, "task": self.task, **({"classes": list(self.classes)} if self.classes else {})}


@dataclass(frozen=True)
class Several(Task):
    """Labels are one column for each head, float64: a class index or a number in its own unit, NaN where nobody knows it.

    Legend: N rows, T heads, C logits of all heads. A row whose label of a head is unknown teaches the other heads only.
    """

    target: ClassVar[TargetKind] = "several"
    averages_as: str = "continuous"
    unsoftened: str | None = None
    heads: tuple[Head, ...] = ()
    asked: tuple[tuple[str, str], ...] = ()  # tasks that a person wants of targets, before these are read

    def of(self, more: str) -> Task:
        return _read(self, more) if more.lstrip().startswith("[") else _asked(self, more)

    @property
    def label_dtype(self) -> type[np.generic]:
        return np.float64

    @property
    def learned_dtype(self) -> type[np.generic]:
        return np.float32

    def likeness(self, column: Column) -> int:
        """Return 0: no column by itself is several."""
        return 0

    def num_outputs(self, num_classes: int) -> int:
        return self.heads[-1].columns.stop if self.heads else num_classes

    def averages(self, num_classes: int) -> int:
        """Leave categories as they are: one average would have to stand for every head."""
        return UNEVEN

    def strata(self, y: Array) -> npt.NDArray[np.int64]:
        """Follow the first head; rows of which it is not known are a stratum of their own."""
        first, known = self.heads[0], ~np.isnan(y[:, 0])
        found = np.zeros(len(y), np.int64)
        found[known] = first.own.strata(y[known, 0].astype(first.own.label_dtype))
        if not known.all():
            found[~known] = found[known].max(initial=-1) + 1
        return found

    def scale(self, y: Array) -> tuple[Scale, Scale]:
        """Return mean and deviation of each head's known labels. Shape: y (N, T) -> (T,), (T,)."""
        found = [head.own.scale(self._known(head, y[:, at])) for at, head in enumerate(self.heads)]
        return np.array([float(m) for m, _ in found]), np.array([float(s) for _, s in found])

    def scaled(self, y: Array, mean: Scale, std: Scale) -> Array:
        return np.asarray((y - mean) / std, dtype=np.float32)

    def unscaled(self, y: Array, mean: Scale, std: Scale) -> Array:
        return np.asarray(y.astype(np.float64) * std + mean)

    def answers(self, z: Array, mean: Scale, std: Scale) -> dict[str, Array]:
        """Turn logits into one table: a class head's probabilities, a number head's value in its unit. Shape: z (N, C) -> (N, C)."""
        found = np.empty(z.shape, np.float64)
        means, stds = self._scales(mean, std)
        for at, head in enumerate(self.heads):
            own = head.own.answers(z[:, head.columns], means[at], stds[at])
            found[:, head.columns] = own["p"] if "p" in own else own["values"][:, None]
        return {"values": found}

    def parts(self, y: Array, z: Array, mean: Scale, std: Scale) -> dict[str, tuple[str, Array, Array]]:
        """Name the heads, each with the rows of which its label is known. Numbers are in their own unit."""
        found = {}
        means, stds = self._scales(mean, std)
        for at, known in enumerate(self.known(y)):
            head = self.heads[at]
            own = z[known][:, head.columns] * stds[at] + means[at]
            found[head.name] = head.task, y[known, at].astype(head.own.label_dtype), own
        return found

    def known(self, y: Array) -> tuple[Array, ...]:
        """Say for each head where its label is known. Shape: y (N, T) -> T times (N,) bool."""
        return tuple(~np.isnan(y[:, at]) for at in range(len(self.heads)))

    def known_in_parts(self, y: Array) -> dict[str, Array]:
        return {head.name: known for head, known in zip(self.heads, self.known(y), strict=True)}

    def kinds(self, num_outputs: int) -> tuple[tuple[TargetKind, tuple[int, ...]], ...]:
        return tuple((head.own.target, tuple(range(num_outputs))[head.columns]) for head in self.heads)

    def perfect(self, y: Array, num_outputs: int) -> Array:
        """Return right answers; where a label is unknown, no answer is wrong, and the logits are 0."""
        found = np.zeros((len(y), num_outputs), y.dtype)
        for at, (head, known) in enumerate(zip(self.heads, self.known(y), strict=True)):
            own = y[known, at].astype(head.own.learned_dtype if y.dtype == np.float32 else head.own.label_dtype)
            found[np.flatnonzero(known), head.columns] = head.own.perfect(own, _width(head))
        return found

    def chance(self, y: Array, num_outputs: int) -> Array:
        own = [
            head.own.chance(self._known(head, y[:, at], learned=True), _width(head))
            for at, head in enumerate(self.heads)
        ]
        return np.concatenate(own)

    def hard_loss(self, class_weights: Array | None = None) -> HardLoss:
        from kd_core.tasks.hard.by_head import ByHead

        return ByHead([(head.columns, head.own.target == "classes") for head in self.heads])

    def questions(self, target: str, classes: Sequence[str]) -> tuple[Question, ...]:
        return tuple((h.name, h.own.target, h.columns.start, h.columns.stop, h.classes) for h in self.heads)

    def likeness_together(self, columns: Sequence[Column]) -> int:
        """Take any columns, where no task says more of them."""
        return 1

    def read(self, columns: Sequence[Any], cells: Mapping[str, Any], rare: str) -> Any:
        from kd_core.data.several_targets import read_several

        return read_several(columns, self.name.partition(":")[0], dict(self.asked), rare)  # type: ignore[arg-type]

    def decided(self, z: Array) -> Array:
        own = [h.own.decided(z[:, h.columns]).astype(self.learned_dtype) for h in self.heads]
        return np.stack(own, axis=1)

    def shared(self, z: Array) -> Array:
        return np.concatenate([h.own.shared(z[:, h.columns]) for h in self.heads], axis=1)

    def _known(self, head: Head, y: Array, *, learned: bool = False) -> Array:
        own = y[~np.isnan(y)]
        return own.astype(head.own.learned_dtype if learned else head.own.label_dtype)

    def _scales(self, mean: Scale, std: Scale) -> tuple[Array, Array]:
        count = len(self.heads)
        return np.broadcast_to(mean, count), np.broadcast_to(std, count)


def _width(head: Head) -> int:
    return int(head.columns.stop - head.columns.start)


def name_of(heads: Sequence[Mapping[str, Any]]) -> str:
    """Write the name of the task with these heads: each has `name`, `task`, and `classes` where it has some."""
    return "multitask:" + json.dumps(list(heads), ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=64)
def _read(plain: Several, text: str) -> Several:
    """Read what stands behind the colon. Errors: SpecError `bad_task`."""
    try:
        told = json.loads(text)
        if not isinstance(told, list) or not FEWEST <= len(told) <= MOST:
            raise ValueError(f"{FEWEST} to {MOST} tasks are possible")
        heads: list[Head] = []
        for one in told:
            start = heads[-1].columns.stop if heads else 0
            heads.append(_head(one, start))
        if len({head.name for head in heads}) < len(heads):
            raise ValueError("two tasks have one name")
    except (ValueError, TypeError, KeyError, RecursionError, KDError) as error:
        raise SpecError(
            "The tasks of a row can't be read from {text!r}: {why}.",
            "Write a list of objects with name, task, and classes where the task has some.",
            "bad_task",
            text=text[:80],
            why=str(error).splitlines()[0][:200] if str(error) else type(error).__name__,
        ) from None
    name = name_of([head.told() for head in heads])
    return replace(plain, name=name, heads=tuple(heads))


@lru_cache(maxsize=64)
def _asked(plain: Several, text: str) -> Several:
    """Read which task each target should have. Errors: SpecError `bad_task`."""
    try:
        told = json.loads(text) if text.lstrip().startswith("{") else _pairs(text)
        if not isinstance(told, dict) or not told or not all(isinstance(v, str) for v in told.values()):
            raise ValueError("no target and task is named")
        for name, kind in told.items():
            own = task_of(kind)
            if own.target not in ("classes", "number") or own.by_group:
                raise ValueError(f"'{kind[:40]}' of '{name[:40]}' can't stand beside others")
    except (ValueError, RecursionError, KDError) as error:
        raise SpecError(
            "The tasks of the targets can't be read from {text!r}: {why}.",
            "Write multitask:<target>=<task>,<target>=<task>, for example multitask:rating=regression.",
            "bad_task",
            text=text[:80],
            why=str(error).splitlines()[0][:200],
        ) from None
    return replace(plain, name=f"{plain.name}:{text}", asked=tuple(told.items()))


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in text.split(","):
        name, mark, kind = pair.rpartition("=")
        if not mark or not name.strip() or name.strip() in found:
            raise ValueError(f"'{pair.strip()[:40]}' is no target with its task, or names one again")
        found[name.strip()] = kind.strip()
    return found


def _head(told: Any, start: int) -> Head:
    if not isinstance(told, dict) or not set(told) <= {"name", "task", "classes"}:
        raise ValueError("a task is an object with name, task and classes")
    name, kind, classes = told["name"], told["task"], told.get("classes", [])
    if not isinstance(name, str) or not name or not isinstance(kind, str) or ":" in kind:
        raise ValueError("name and task of a task are texts")
    if not isinstance(classes, list) or not all(isinstance(one, str) for one in classes) or len(classes) > CLASSES:
        raise ValueError(f"classes of '{name[:40]}' are a list of at most {CLASSES:,} texts")
    own = task_of(kind)
    if own.target not in ("classes", "number") or own.by_group:
        raise ValueError(f"'{kind[:40]}' can't stand beside others")
    if (len(classes) >= 2) is not own.has_classes or (not own.has_classes and classes):
        raise ValueError(f"'{name[:40]}' has {len(classes)} classes for a task '{kind[:40]}'")
    if own.settled(len(classes)) != kind or (own.positive and len(classes) != 2):
        raise ValueError(f"'{name[:40]}' has {len(classes)} classes for a task '{kind[:40]}'")
    return Head(name, kind, slice(start, start + own.num_outputs(len(classes))), tuple(classes))


add(Several(name="multitask", title="several tasks at once", primary="skill", stopping="skill", objective="by_task"))
