"""What every teacher source is: something that fits on encoded rows and then yields logits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from kd_core.data.dataset import Array, Split
from kd_core.data.input_spec import InputSpec
from kd_core.data.view import choose_view
from kd_core.registry import Registry
from kd_core.specs import Choice
from kd_core.task import task_of

Notify = Callable[[dict[str, Any]], None]
ShouldStop = Callable[[], bool]


@dataclass(frozen=True)
class FitData:
    """Rows to fit a teacher on. y: int64 classes, or float32 regression targets scaled to mean 0, sd 1.

    `inputs` describes the rows. The validation rows may only decide when to stop. `device` is for network teachers; `target_mean` and
    `target_std` undo the scaling of regression targets, so that scores are in the target's unit.
    """

    task: str
    num_outputs: int
    inputs: InputSpec
    x: Array
    y: Array
    x_validation: Array
    y_validation: Array
    device: str = "cpu"
    target_mean: float = 0.0
    target_std: float = 1.0

    @property
    def is_number(self) -> bool:
        """Whether a number is predicted, not classes."""
        return not task_of(self.task).has_classes


class FittedTeacher(Protocol):
    """A teacher that has learned. Legend: N rows, C outputs."""

    def logits(self, x: Array) -> Array:
        """Rows as they were fitted on -> (N, C) float32: log-odds or log-probabilities; scaled target for regression."""

    def num_parameters(self) -> int:
        """Numbers that were learned: weights of a network, node values of a forest."""

    def size_bytes(self) -> int:
        """Bytes needed to store what was learned."""

    def module(self) -> Any | None:
        """The torch module, or None for a teacher that is not a network."""

    def details(self) -> dict[str, Any]:
        """Plain facts about the fit for the record: trees, rounds, epochs, selected epoch and its score."""


# fit(spec, data, seed, notify, should_stop) -> FittedTeacher. Raises errors.Stopped when asked to stop.
Fit = Callable[[Any, FitData, int, Notify, ShouldStop], FittedTeacher]

# facts: takes=(view, ...); gives=frozenset({"logits"[, "features"]}), family="network"|"trees"|"classic"; networks: arch=name of the
# architecture that takes the spec's fields of the same names; others:
# seconds=function(settings, rows, features, outputs) -> seconds of one fit on an idle core, for the estimate before Start
SOURCES: Registry[Fit] = Registry("teacher")


def teacher_view(teacher: Choice, offered: Iterable[str]) -> str:
    """Choose the view that a teacher reads: its setting `view`, or the first that it takes and that is offered.

    Errors: UnknownName, SpecError `other_view`.
    """
    entry = SOURCES.get(teacher.name)
    wanted = getattr(entry.spec.parse(teacher.settings, f"teacher {teacher.name}"), "view", None)
    return choose_view(entry, offered, wanted)


@dataclass(frozen=True)
class TeacherAnswers:
    """Everything later phases need of a teacher; kept on disk by hash, never pickled.

    logits[split] (N, C) float32 in the order of the dataset's part; for `train` out-of-fold.
    `latency_ms` as in result.json. `cached` is True when nothing was trained for this run.
    features[split] (N, D) float32 where the teacher gives them. `kept_bytes`: the entry on the disk (0: not kept);
    `seconds_saved`: the fits that a cached answer made unnecessary.
    """

    name: str
    logits: dict[Split, Array]
    num_parameters: int
    size_bytes: int
    latency_ms: dict[str, Any]
    fit_seconds: float
    folds: int
    cached: bool = False
    cache_key: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    features: dict[Split, Array] = field(default_factory=dict)
    kept_bytes: int = 0
    seconds_saved: float = 0.0
