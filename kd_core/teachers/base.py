"""What every teacher source is: something that is asked about a dataset and answers with logits."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array, Dataset, Split
from kd_core.data.input_spec import InputSpec
from kd_core.data.view import choose_view
from kd_core.errors import SpecError
from kd_core.models.base import ARCHS
from kd_core.registry import Registry
from kd_core.specs import Choice, DatasetSpec
from kd_core.task import Scale, task_of

if TYPE_CHECKING:
    from kd_core.teachers.answer_cache.cache import TeacherCache
    from kd_core.teachers.made_rows import MadeRows

Notify = Callable[[dict[str, Any]], None]
ShouldStop = Callable[[], bool]


@dataclass(frozen=True)
class FitData:
    """Rows to fit a teacher on. y: int64 classes, or float32 regression targets scaled to mean 0, sd 1.

    `inputs` describes the rows. The validation rows may only decide when to stop. `device` is for network teachers; `target_mean` and
    `target_std` undo the scaling of regression targets, so that scores are in the target's unit. `groups` and `groups_validation`: numbers of
    the rows' groups, for a task that deals by group.
    """

    task: str
    num_outputs: int
    inputs: InputSpec
    x: Array
    y: Array
    x_validation: Array
    y_validation: Array
    device: str = "cpu"
    target_mean: Scale = 0.0
    target_std: Scale = 1.0
    groups: Array | None = None
    groups_validation: Array | None = None

    @property
    def is_number(self) -> bool:
        """Whether a number is predicted, not classes."""
        return task_of(self.task).is_number


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


@dataclass(frozen=True)
class Ask:
    """A question to a source: all answers for a dataset.

    `reads`: the view chosen for it, None for a source that reads none. `folds`, `seed`: for what is trained here. `cache` keeps finished
    parts under `key`, so that a source that was cut off goes on after them. `hidden`: inner features are wanted as well.
    `answers(teacher)` asks one of the entry's fact `members` about the same rows; what is kept of it is not trained again.
    `made`: rows to label as well, each by its fold's teacher. `metric`: by which the run judges, for a source with the fact `by_metric`; the task's own when empty.
    `maps`: attention maps of the training rows are wanted as well. `weights`: those of the network that answers validation and test are, too.
    """

    dataset: Dataset
    reads: str | None
    folds: int
    seed: int
    cache: TeacherCache | None
    key: str
    device: str
    notify: Notify
    should_stop: ShouldStop
    hidden: bool = False
    answers: Callable[[Choice], TeacherAnswers] | None = None
    metric: str | None = None
    made: MadeRows | None = None
    maps: bool = False
    weights: bool = False


class Answering(Protocol):
    """Whoever can be asked about new rows, whatever the dataset holds of them."""

    def ask(self, rows: pd.DataFrame) -> Array:
        """Answer raw rows. Shape: N rows with the dataset's columns -> (N, C) float32 logits, as in `Answered`."""


class Live(Answering, Protocol):
    """A model that can be asked about new rows, and kept."""

    def save(self, folder: Path) -> None:
        """Write what `load` of its class needs to make it again."""


@dataclass(frozen=True)
class Answered:
    """What a source answered.

    logits[split] (N, C) float32 in the order of the dataset's part: log-odds, log-probabilities or scaled targets; a row of NaN is not
    known (`known_rows`). `num_parameters`, `size_bytes`: None where nobody can know. `latency_ms` as in result.json. `seconds` that it took,
    `folds` of fits that never saw the rows (0: it was not trained here; 1: trained on them). `notes`: {severity, code, message, hint} of
    what a person should know. `hidden`: features (N, D) float32 of the training rows where they were wanted; of several folds they
    have no common basis. `made` (M, C) float32: the answers to the made rows that were asked about.
    `maps`: attention (N, H, W) float16 of the training rows by stage where it was wanted; places are the same whatever the fold.
    `weights`: by name, of the network that learned from all training rows, where they were wanted of a network trained here.
    `head` (C, D + 1) float32: the linear layer, its bias last, that turns the features of `hidden` into answers up to a number per row, where one
    fit gave them and the source knows it.
    """

    logits: Mapping[Split, Array]
    num_parameters: int | None
    size_bytes: int | None
    latency_ms: dict[str, Any]
    seconds: float
    folds: int = 0
    details: dict[str, Any] = field(default_factory=dict)
    notes: tuple[dict[str, str], ...] = ()
    live: Live | None = None
    hidden: Mapping[Split, Array] = field(default_factory=dict)
    made: Array | None = None
    maps: Mapping[str, Array] = field(default_factory=dict)
    weights: Mapping[str, Array] = field(default_factory=dict)
    head: Array | None = None


def known_rows(z_NC: Array) -> Array:
    """Say which rows were answered. Shape: (N, C) -> (N,) bool."""
    found: Array = ~np.isnan(z_NC[:, 0])
    return found


# source(spec, ask) -> Answered. Raises errors.Stopped when asked to stop. What is trained here is made by `fitting.from_fit`.
Source = Callable[[Any, Ask], Answered]

# facts: missing=function(settings) -> None, or the error that says what is still to be chosen; refuses=the same for a choice that can't work here; opens=(kind, ...) of files that it takes, as `foreign_files` names them; own_columns=function(settings) -> columns of the data that only this teacher may read; takes=(view, ...), () for a source that reads none; gives=frozenset({"logits"[, "features"][, "head"][, "maps"]}), gives_as=function(settings) -> the same, or with "one_basis" for features that no fit changes, where settings decide it,
# barred=function(situation) -> {field: {option: why it can't work there}};
# members=function(settings) -> teachers (Choice) that it asks; by_metric=True where answers depend on the run's metric;
# lacks=function() -> what is not installed here that it needs, in words, or None; content=function(settings) -> name by its content of what lies outside the settings (a model's folder);
# live=function(settings, dataset[, members opened]) -> `Answering` that is asked about new rows, of a source whose model is at hand after a run; live_as=function(settings) -> whether it is, where settings decide it;
# group="earlier" for one that comes from an earlier run, in a list of teachers; instead=name of the teacher that is offered in its place, for one that only older recipes name;
# family="network"|"trees"|"classic"|"pretrained"|"given"|"ensemble"; networks: arch=name of the architecture that takes the spec's fields of the same names; others:
# seconds=function(settings, rows, features, outputs) -> seconds of one fit on an idle core, for the estimate before Start; once=function(settings, rows of the file) -> seconds beside the fits
SOURCES: Registry[Source] = Registry("teacher")
NETWORKS = ("network", "pretrained")  # families whose fits take long


def teacher_view(teacher: Choice, offered: Iterable[str]) -> str | None:
    """Choose the view that a teacher reads: its setting `view`, or the first that it takes and that is offered; None if it reads none.

    Errors: UnknownName, SpecError `other_view`.
    """
    entry = SOURCES.get(teacher.name)
    if not entry.facts.get("takes", True):
        return None
    wanted = getattr(entry.spec.parse(teacher.settings, f"teacher {teacher.name}"), "view", None)
    return choose_view(entry, offered, wanted)


def gives(teacher: str | Choice, folds: int) -> frozenset[str]:
    """Say what a teacher gives: "logits", "features", "maps", and "one_basis" where one network gives those of all rows; "head" where
    one linear layer turns them into answers.

    One that is only named has its usual settings. Errors: UnknownName.
    """
    asked = teacher if isinstance(teacher, Choice) else Choice(name=teacher)
    entry = SOURCES.get(asked.name)
    facts, found = entry.facts, entry.facts["gives"]
    if own := facts.get("gives_as"):
        with contextlib.suppress(SpecError):  # whoever checks the settings tells of it
            found = own(entry.spec.parse(asked.settings, f"teacher {asked.name}"))
    known: frozenset[str] = found
    if folds != 1 and facts["family"] != "given":
        return known - {"head"}
    return known | {"one_basis"} if "features" in known else known


def network_of(teacher: Choice) -> Choice:
    """Return the architecture of a teacher that is a network trained here, with its settings. Errors: UnknownName, SpecError; KeyError for others."""
    entry = SOURCES.get(teacher.name)
    arch = str(entry.facts["arch"])
    asked = entry.spec.parse(teacher.settings, f"teacher {teacher.name}").model_dump()
    return Choice(
        name=arch, settings={n: value for n, value in asked.items() if n in ARCHS.get(arch).spec.model_fields}
    )


def own_columns(teacher: Choice) -> tuple[str, ...]:
    """Name the columns of the data that only the teacher, or one that it asks, may read. Errors: UnknownName, SpecError."""
    entry = SOURCES.get(teacher.name)
    own = entry.facts.get("own_columns")
    found = () if own is None else own(entry.spec.parse(teacher.settings, f"teacher {teacher.name}"))
    asked = [name for one in members(teacher) for name in own_columns(one)]
    return tuple(dict.fromkeys((*found, *asked)))


def members(teacher: Choice) -> tuple[Choice, ...]:
    """Name the teachers that a teacher asks; none of them asks others, so that nobody asks itself.

    Errors: UnknownName; SpecError `nested_teachers`.
    """
    entry = SOURCES.get(teacher.name)
    if (asked := entry.facts.get("members")) is None:
        return ()
    found: tuple[Choice, ...] = asked(entry.spec.parse(teacher.settings, f"teacher {teacher.name}"))
    for one in found:
        if "members" in SOURCES.get(one.name).facts:
            raise SpecError(
                "The teacher '{teacher}' can't ask '{name}', which asks other teachers itself.",
                "Name those teachers instead.",
                "nested_teachers",
                teacher=teacher.name,
                name=one.name,
            )
    return found


def is_network(teacher: Choice) -> bool:
    """Say whether a teacher, or one that it asks, is a network trained here. Errors: UnknownName, SpecError."""
    return any(SOURCES.get(one.name).facts.get("family") in NETWORKS for one in (teacher, *members(teacher)))


def without_own_columns(dataset: DatasetSpec, teacher: Choice) -> DatasetSpec:
    """Take the columns that only the teacher may read out of what students learn from. Errors: UnknownName, SpecError."""
    more = tuple(name for name in own_columns(teacher) if name not in dataset.drop)
    return dataset.model_copy(update={"drop": (*dataset.drop, *more)}) if more else dataset


@dataclass(frozen=True)
class TeacherAnswers:
    """Everything later phases need of a teacher; kept on disk by hash, never pickled.

    logits[split] (N, C) float32 in the order of the dataset's part, a row of NaN where it is not known; for `train` out-of-fold.
    `latency_ms`, `notes`, `made` as in `Answered`. `cached` is True when nothing was trained for this run.
    features["train"] (N, D) float32, `maps`, `weights` and `head` as in `Answered` where they were wanted. `kept_bytes`: the entry on the disk (0: not kept);
    `seconds_saved`: the fits that a cached answer made unnecessary.
    """

    name: str
    logits: dict[Split, Array]
    num_parameters: int | None
    size_bytes: int | None
    latency_ms: dict[str, Any]
    fit_seconds: float
    folds: int
    cached: bool = False
    cache_key: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    notes: tuple[dict[str, str], ...] = ()
    features: dict[Split, Array] = field(default_factory=dict)
    kept_bytes: int = 0
    seconds_saved: float = 0.0
    made: Array | None = None
    maps: dict[str, Array] = field(default_factory=dict)
    weights: dict[str, Array] = field(default_factory=dict)
    head: Array | None = None

    def known(self) -> dict[str, int]:
        """Count the rows that were answered, by part; nothing where all were."""
        counts = {str(split): int(known_rows(z).sum()) for split, z in self.logits.items()}
        return counts if sum(counts.values()) < sum(map(len, self.logits.values())) else {}
