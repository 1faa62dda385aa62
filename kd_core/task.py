"""What is predicted: the contract of a task, with all that other layers need to know of it.

Specs, results and kept answers hold a task's name; whoever needs more asks `task_of(name)`. One file in `kd_core.tasks` is one
task. Importing this module, or the tasks, loads no torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias

from kd_core.errors import Problem, SpecError
from kd_core.hard_loss import HardLoss as HardLoss
from kd_core.registry import Registry

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

    Array = npt.NDArray[Any]

BY_FORM = 4  # of `Task.likeness`: the cells have the form of this task's answers
TargetKind = Literal["classes", "number", "labels", "several"]
QuestionKind: TypeAlias = "TargetKind | Literal['first']"  # classes of which only the likeliest are told
# what some columns of an answer say: name, kind, first column and end, and the names of classes or labels
Question: TypeAlias = "tuple[str, QuestionKind, int, int, tuple[str, ...]]"
Scale: TypeAlias = "float | Array"  # of a target: one number, or one for each column of the labels


class Column(Protocol):
    """What a task looks at to say whether a column could be its target."""

    @property
    def kind(self) -> str: ...

    @property
    def distinct(self) -> int: ...

    @property
    def values(self) -> Any: ...


@dataclass(frozen=True)
class Task(ABC):
    """One kind of prediction. Legend: N rows, C outputs (logits of a row), T columns of labels.

    `target`: what a row's label is: the index of one class, a number, a row of 0 and 1 for each class ("labels"), or one with a label for each task
    inside ("several"; a class index or a number as float64, NaN where it is not known). Labels have the shape (N,), those of the last two (N, T).

    `primary`: metric of choices and verdict; `beside`: metrics told after every epoch beside it; `stopping`: metric at
    whose best epoch a network teacher is kept. `objective`: loss taken when none is asked for. `positive`: whether class 1 counts
    as yes. `usual`: taken for its kind of target when nothing else is known. `averages_as`: scikit-learn's word for the target
    when categories are replaced by its average. `unsoftened`: code of the reason why answers have no soft labels.
    `by_group`: batches hold whole groups of rows, and the loss against the labels compares rows of a group. `by_history`: a row is a user's
    history and the item that came next (`data/histories`). `compact`: of so many classes that answers are kept in a short form, see `kept`.
    `each_alone`: a row may be of several classes at once; every output answers yes or no by itself, by its log odds.
    `by_order`: a row's number is a score, which says nothing but who comes before whom in a group.
    """

    target: ClassVar[TargetKind]
    name: str
    title: str
    primary: str
    stopping: str
    objective: str
    averages_as: str
    beside: tuple[str, ...] = ()
    positive: bool = False
    usual: bool = False
    unsoftened: str | None = None
    by_group: bool = False
    by_history: bool = False
    compact: bool = False
    each_alone: bool = False
    by_order: bool = False

    @property
    def has_classes(self) -> bool:
        """Whether the target names one class."""
        return self.target == "classes"

    @property
    def is_number(self) -> bool:
        """Whether the target is one number."""
        return self.target == "number"

    def of(self, more: str) -> Task:
        """Return this task as one dataset has it, by what stands behind the colon of its name. Errors: SpecError `bad_task`."""
        raise SpecError(
            "The task '{name}' takes nothing behind a colon, got {more!r}.",
            "Leave it out.",
            "bad_task",
            name=self.name,
            more=more[:40],
        )

    @property
    @abstractmethod
    def label_dtype(self) -> type[np.generic]:
        """Say how labels are stored."""

    @property
    @abstractmethod
    def learned_dtype(self) -> type[np.generic]:
        """Say how labels are handed to losses."""

    @abstractmethod
    def likeness(self, column: Column) -> int:
        """Say how strongly a column looks like a target of this task: 0 not at all, 1 any column, 2 by its type, 3 by its values, 4 by the form of its cells."""

    def likeness_together(self, columns: Sequence[Column]) -> int:
        """Say how strongly several columns look like one target of this task: as `likeness`, 0 where it takes one column alone."""
        return 0

    def read(self, columns: Sequence[Any], cells: Mapping[str, Any], rare: str) -> Any | None:
        """Read typed columns as the target in a way of this task's own (`data.targets.Target`); None: one column, as classes or a number.

        `cells`: the columns as they stand in the file, by name; `rare` as in `DatasetSpec`.
        """
        return None

    def settled(self, num_classes: int) -> str:
        """Name the task that this one comes to once the classes are known."""
        return self.name

    def problems(self, name: str, values: Array) -> tuple[Problem, ...]:
        """Say what stands against the values of a target column of this name. Shape: (N,) float64, NaN where it is not known."""
        return ()

    @abstractmethod
    def num_outputs(self, num_classes: int) -> int:
        """Count the logits of a row."""

    @abstractmethod
    def averages(self, num_classes: int) -> int:
        """Count the columns that replace a category by averages of the target."""

    def averaged(self, y: Array) -> tuple[tuple[str, Array], ...]:
        """Name the targets whose averages replace a category: scikit-learn's word for each, and its values. Shape: y as stored -> (N,) each."""
        return ((self.averages_as, y),)

    @abstractmethod
    def strata(self, y: Array) -> npt.NDArray[np.int64]:
        """Turn labels into the strata that a split shares out evenly. Shape: (N,) -> (N,), counted from 0."""

    @abstractmethod
    def scale(self, y: Array) -> tuple[Scale, Scale]:
        """Return mean and deviation by which labels are scaled for training, from those of the training rows."""

    @abstractmethod
    def scaled(self, y: Array, mean: Scale, std: Scale) -> Array:
        """Turn stored labels into what losses want. Shape: (N,) -> (N,)."""

    @abstractmethod
    def unscaled(self, y: Array, mean: Scale, std: Scale) -> Array:
        """Turn what losses want back into stored labels. Shape: (N,) -> (N,)."""

    @abstractmethod
    def answers(self, z: Array, mean: Scale, std: Scale) -> dict[str, Array]:
        """Turn float64 logits into what metrics read: `p` with `z`, or `values` in the target's unit. Shape: z (N, C), or as `kept`."""

    def width(self, num_outputs: int) -> int:
        """Count the numbers that are kept of a row's answer."""
        return num_outputs

    def kept(self, z: Tensor) -> Tensor:
        """Turn logits into what is kept of them, and what `answers` reads. Shape: (N, C) -> (N, `width`)."""
        return z

    def spread(self, kept: Tensor, num_outputs: int) -> Tensor:
        """Turn what is kept back into logits, as far as it tells. Shape: (N, `width`) -> (N, C)."""
        return kept

    def parts(self, y: Array, z: Array, mean: Scale, std: Scale) -> dict[str, tuple[str, Array, Array]]:
        """Name the tasks inside this one: for each its task, its labels and its slice of the logits.

        Metrics find them in `Answers.parts`. Shape: y (N,) as stored, z (N, C) -> (N,), (N, C of the part).
        """
        return {}

    def table(self, z: Array, mean: Scale, std: Scale) -> Array:
        """Turn float64 logits into the table that a model taken home gives. Shape: (N, C) -> (N, W), as `questions` names its columns."""
        found = self.answers(z, mean, std)
        table: Array = found["p"] if "p" in found else found["values"]
        return table[:, None] if table.ndim == 1 else table

    def questions(self, target: str, classes: Sequence[str]) -> tuple[Question, ...]:
        """Say what the columns of `table` answer; `classes` as in a dataset."""
        return ((target, self.target, 0, len(classes) or 1, tuple(classes)),)

    def apart(self, found: Array, z: Array, mean: Scale, std: Scale) -> Array:
        """Say how far a table is from that of logits. Shape: found (N, W), z as `table` takes it -> (N, W)."""
        return abs(found - self.table(z, mean, std))

    def known_in_parts(self, y: Array) -> dict[str, Array]:
        """Say for each part where its label is known, of parts whose labels may be missing. Shape: y (N, T) -> (N,) bool."""
        return {}

    def kinds(self, num_outputs: int) -> tuple[tuple[TargetKind, tuple[int, ...]], ...]:
        """Say which logits answer one question together, and of which kind: those of each part, and the others.

        Members of an ensemble are averaged by it: classes by their probabilities, numbers as they are.
        """
        import numpy as np

        marks = np.arange(num_outputs)[None]
        found: list[tuple[TargetKind, tuple[int, ...]]] = []
        for name, _, own in self.parts(np.zeros(1), marks, 0.0, 1.0).values():
            found.append((task_of(name).target, tuple(int(c) for c in own[0])))
        left = tuple(c for c in range(num_outputs) if c not in {c for _, own in found for c in own})
        return (*([(self.target, left)] if left else []), *found)

    @abstractmethod
    def perfect(self, y: Array, num_outputs: int) -> Array:
        """Return logits of which every answer is right: also those of a teacher that gives the target alone.

        Shape: y (N,) as losses want it -> (N, C), float32 where y is a float32 number.
        """

    @abstractmethod
    def chance(self, y: Array, num_outputs: int) -> Array:
        """Return the logits of the one answer that suits all rows best. Shape: y (N,) as losses want it -> (C,)."""

    def decided(self, z: Array) -> Array:
        """Return the labels that logits amount to, as losses want them. Shape: (N, C) -> (N,), or (N, T)."""
        if self.has_classes:
            best: Array = z.argmax(axis=1)
            return best
        return (z > 0).astype(self.learned_dtype) if self.each_alone else z[:, 0]

    def shared(self, z: Array) -> Array:
        """Turn logits into what is taught, as numbers: probabilities, or scaled targets. Shape: (N, C) float64 -> (N, C)."""
        if self.has_classes:
            p = _exp(z - z.max(axis=1, keepdims=True))
            shares: Array = p / p.sum(axis=1, keepdims=True)
            return shares
        return 1 / (1 + _exp(-z)) if self.each_alone else z

    @abstractmethod
    def hard_loss(self, class_weights: Array | None = None) -> HardLoss:
        """Return the loss against the labels; this loads torch. Shape: class_weights (C,), or (C, 2) of no and yes where `each_alone`."""


def _exp(x: Array) -> Array:
    """Return e to the power of numbers; what is too large becomes infinite, silently."""
    import numpy as np

    with np.errstate(over="ignore"):
        found: Array = np.exp(x)
    return found


TASKS: Registry[Task] = Registry("task", package="kd_core.tasks")


def add(task: Task) -> None:
    """Register a task; a file of `kd_core.tasks` ends with it."""
    TASKS.register(task.name, title=task.title, needs=("groups",) if task.by_group else ())(task)


def task_of(name: str) -> Task:
    """Find a task by its name; what follows a colon tells what it is in one dataset (`Task.of`).

    Errors: UnknownName with the nearest one; SpecError `bad_task`.
    """
    kind, _, more = name.partition(":")
    found = TASKS.get(kind).make
    return found.of(more) if more else found


def kind_of(name: str) -> str:
    """Return the name of a task without what it is in one dataset. Example: `kind_of("multitask:...")` is "multitask"."""
    return name.partition(":")[0]


def usual(target: TargetKind) -> Task:
    """Return the task taken for a kind of target when nothing else is known."""
    return next(e.make for e in TASKS.entries() if e.make.target == target and e.make.usual)


def yes_or_no() -> Task:
    """Return the task of two classes of which one counts as yes: what every label by itself is."""
    return next(e.make for e in TASKS.entries() if e.make.positive)


# Conditions on tasks, for parts that work for some tasks only: `LOSSES.register(..., tasks=CLASSIFICATION)`
Condition = Callable[[Task], bool]


def CLASSIFICATION(task: Task) -> bool:
    """Tasks whose target names one of a few classes, each of which has a probability that is kept."""
    return task.has_classes and not task.compact


def ANY_CLASSES(task: Task) -> bool:
    """Tasks whose target names a class, of few or of a whole catalogue."""
    return task.has_classes


def CATALOGUE(task: Task) -> bool:
    """Tasks whose target names one of so many classes that answers are kept in a short form."""
    return task.has_classes and task.compact


def NUMERIC(task: Task) -> bool:
    """Tasks whose answer is a number in a unit of its own."""
    return task.is_number and not task.by_order


def BY_ORDER(task: Task) -> bool:
    """Tasks whose answer is a score, of which the order within a group alone counts."""
    return task.by_order


def NOT_BY_ORDER(task: Task) -> bool:
    """Tasks whose answers mean something outside their group."""
    return not task.by_order


def SOME_CLASSES(task: Task) -> bool:
    """Tasks whose answers are probabilities: of one class, or of each label by itself."""
    return task.has_classes or task.each_alone


def IN_FULL(task: Task) -> bool:
    """Tasks whose answers are kept as they are, number by number."""
    return not task.compact


def BY_GROUP(task: Task) -> bool:
    """Tasks whose rows are compared with others of their group."""
    return task.by_group


def EACH_ALONE(task: Task) -> bool:
    """Tasks in which a row may be of several classes at once."""
    return task.each_alone


def IN_PARTS(task: Task) -> bool:
    """Tasks that are several tasks of one row."""
    return task.target == "several"


def POSITIVE(task: Task) -> bool:
    """Tasks with two classes of which one counts as yes."""
    return task.positive
