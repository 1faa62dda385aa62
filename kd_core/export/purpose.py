"""What a model is for, as it is written beside its weights and into its file."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kd_core.data.plain.questions import NUMBER, Question, Questions
from kd_core.data.view import Array
from kd_core.specs import ReadSpec
from kd_core.task import Scale, Task, task_of


@dataclass(frozen=True)
class Purpose:
    """What a model is for: its task, its target with the scale it was learned in, its classes, and how its file was read.

    `group`: the column whose rows are compared with each other, for a task by order.
    """

    task: Task
    target: str
    classes: tuple[str, ...]
    mean: Scale
    std: Scale
    read: ReadSpec
    threshold: float | None = None  # probability from which on the answer is yes; None: the likeliest class
    group: str | None = None

    @functools.cached_property
    def questions(self) -> Questions:
        """Say what the numbers of an answer are."""
        asked = self.task.questions(self.target, self.classes)
        return Questions([Question(*one, threshold=self.threshold) for one in asked])

    @property
    def spread_W(self) -> Array:
        """Return what one unit of each number of an answer is worth: 1 of a share, the deviation of a number. Shape: (W,)."""
        found = np.ones(self.questions.width)
        for at, one in enumerate(self.questions.every):
            if one.kind == NUMBER:
                found[one.start : one.end] = self.scale(at)[1]
        return found

    def scale(self, at: int) -> tuple[float, float]:
        """Return mean and deviation of one of the questions."""
        count = len(self.questions.every)
        mean, std = (np.broadcast_to(v, count)[at] for v in (self.mean, self.std))
        return float(mean), float(std)

    def told(self) -> dict[str, Any]:
        """Return plain values for JSON; `answers` where they are more than one class or one number."""
        scale = {name: np.asarray(v).tolist() for name, v in (("mean", self.mean), ("std", self.std))}
        named = {"task": self.task.name, "target": self.target, "classes": list(self.classes)}
        own: dict[str, Any] = {} if self.threshold is None else {"threshold": self.threshold}
        own |= {} if self.group is None else {"group": self.group}
        more = {} if self.questions.one else {"answers": [one.told() for one in self.questions.every]}
        return {**named, **more, **scale, **own, "read": self.read.model_dump(mode="json")}


def purpose_from(told: Mapping[str, Any]) -> Purpose:
    """Read what `Purpose.told` returned. Errors: KeyError, ValueError, UnknownName."""
    scale = _scale(told["mean"]), _scale(told["std"])
    read = ReadSpec.model_validate(told["read"])
    of = told["task"], str(told["target"]), tuple(told["classes"])
    return Purpose(task_of(of[0]), *of[1:], *scale, read, told.get("threshold"), told.get("group"))


def _scale(told: Any) -> Scale:
    return np.array(told, np.float64) if isinstance(told, list) else float(told)
