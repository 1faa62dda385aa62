"""What shall be predicted: the target column, the task, the classes and the positive class."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.checks import classes
from kd_core.data.checks.classes import Rare
from kd_core.data.plain.counted import plural
from kd_core.data.types.base import TRUE_WORDS, TypedColumn, row_numbers, shown_rows
from kd_core.errors import Problem, Says
from kd_core.limits import CHECKED_LABELS, CLASSES, FEW_CLASSES, MIN_CLASS_ROWS, MIN_ROWS
from kd_core.task import BY_FORM, TASKS, task_of, usual

_POSITIVE_WORDS = TRUE_WORDS | {"positive", "pos", "bought", "purchase", "purchased", "churned", "fraud", "converted"}

_ALL_MISSING = Says(
    "target_all_missing", "error", "Target {column}: all {count:,} values are missing.", "Choose another target."
)
_MISSING = Says(
    "target_missing", "warning", "Target {column} is missing in {number} ({where}).", "These rows are left out."
)
_TOO_FEW_ROWS = Says("too_few_rows", "error", "{count:,} rows with a target; at least {least} are needed.", "Add rows.")
_DATE = Says(
    "date_target",
    "error",
    "Target {column} is a date.",
    "Choose another target, or turn it into a number such as days.",
)
_ONE_CLASS_OF_NUMBER = Says(
    "one_class_unused",
    "error",
    "One class ({one}) against the rest needs classes; {column} is predicted as a number.",
    "Choose classification, or leave the class empty.",
)
_POSITIVE_OF_NUMBER = Says(
    "positive_unused",
    "error",
    "A positive class ({positive}) needs 2 classes; {column} is predicted as a number.",
    "Leave the positive class empty.",
)
_POSITIVE_OF_MANY = Says(
    "positive_unused",
    "error",
    "A positive class ({positive}) needs 2 classes; {column} has {number}.",
    "Leave the positive class empty.",
)
_ONE_COLUMN = Says(
    "one_target",
    "error",
    "The task {task} predicts one column, {column}; {more} can't be predicted with it.",
    "Name one target, or choose a task for several.",
)
_POSITIVE_OF_LABELS = Says(
    "positive_unused",
    "error",
    "A positive class ({asked}) needs one target of 2 classes; {column} holds several answers of a row.",
    "Leave the positive class empty.",
)
_ONE_CLASS_OF_LABELS = replace(
    _POSITIVE_OF_LABELS,
    code="one_class_unused",
    message="One class ({asked}) against the rest needs one target of classes; {column} holds several answers of a row.",
    hint="Leave the class empty.",
)
_NOT_NUMERIC = Says(
    "target_not_numeric",
    "error",
    "Target {column} can't be a regression target: {count:,} values are no numbers.",
    "Choose classification, or another target.",
)
_ONE_NUMBER = Says("constant_target", "error", "Target {column} is always {value:g}.", "Choose another target.")
_ONE_CLASS = Says(
    "one_class", "error", "Needs >= 2 classes. Target {column} is always {value!r}.", "Choose another target."
)
_CLASSES_ARE_NUMBERS = Says(
    "too_many_classes",
    "error",
    "Target {column} has {count:,} different values: looks like regression.",
    "Choose the task regression.",
)
_CLASSES_ARE_TEXTS = Says(
    "too_many_classes",
    "error",
    "Target {column} has {count:,} different values: looks like an id or free text.",
    "Choose another target.",
)
_LIKE_REGRESSION = Says(
    "looks_like_regression",
    "warning",
    "Target {column} takes {count:,} numeric values: looks like regression.",
    "Choose the task regression unless each value is a class of its own.",
)
_ONLY_REGRESSION = replace(_LIKE_REGRESSION, severity="error")
_NOT_BINARY = Says(
    "not_binary", "error", "Target {column} has {count:,} classes, a binary task has 2.", "Choose multiclass."
)
_UNKNOWN_CLASS = Says("unknown_class", "error", "No class {asked!r} in target {column}.", "{guess}Classes: {listed}.")


@dataclass(frozen=True)
class Target:
    """The target as read.

    `inside`: the targets that it is made of, as those of single columns, for checks that look at one at a time.
    Shape: `values` (N,) int64 class index with -1, or float64 with NaN, where the target is missing; (N, T) of several columns of labels:
    missing where an integer one is, or where all of the others are.
    """

    name: str
    task: str | None
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    positive: str | None
    values: npt.NDArray[np.int64] | npt.NDArray[np.float64]
    problems: tuple[Problem, ...]
    inside: tuple[Target, ...] = ()

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Where the target is known. Shape: (N,)."""
        found: npt.NDArray[np.bool_] = ~np.isnan(self.values) if self.values.dtype.kind == "f" else self.values >= 0
        if found.ndim == 1:
            return found
        together: npt.NDArray[np.bool_] = np.asarray(
            np.any(found, axis=1) if self.values.dtype.kind == "f" else np.all(found, axis=1)
        )
        return together

    @property
    def each(self) -> tuple[Target, ...]:
        """The targets inside, the commonest `limits.CHECKED_LABELS` of many; this one where it holds no others."""
        if len(self.inside) <= CHECKED_LABELS:
            return self.inside or (self,)
        often = sorted(self.inside, key=lambda t: -min(t.counts, default=0))[:CHECKED_LABELS]
        return tuple(often)

    @property
    def is_number(self) -> bool:
        """Whether the target is predicted as a number, not as classes."""
        return self.task is not None and task_of(self.task).is_number


def near(name: str, known: list[str]) -> str:
    """Write `Did you mean 'x'? ` for the nearest known name, or nothing."""
    found = difflib.get_close_matches(name.casefold(), {k.casefold(): k for k in known}, n=1)
    return f"Did you mean '{ {k.casefold(): k for k in known}[found[0]] }'? " if found else ""


def infer_task(column: TypedColumn) -> str:
    """Guess the task from the target's type and number of distinct values."""
    return max(TASKS.entries(), key=lambda e: (n := e.make.likeness(column)) * (n < BY_FORM)).name


def read_targets(
    columns: Sequence[TypedColumn],
    cells: Mapping[str, pd.Series],
    task: str | None = None,
    positive: str | None = None,
    rare: Rare = "refuse",
    one_class: str | None = None,
) -> Target:
    """Read typed columns, one or several, as the target of a task, which may have a way of its own to read them.

    `cells`: the columns as they stand in the file; the others as in `read_target`.
    """
    first = columns[0]
    plain = positive is None and one_class is None
    if task is None and len(columns) > 1:
        likely = max(TASKS.entries(), key=lambda e: e.make.likeness_together(columns))
        task = likely.name if likely.make.likeness_together(columns) else None
    elif task is None and plain:
        task = next((e.name for e in TASKS.entries() if e.make.likeness(first) >= BY_FORM), None)
    own: Target | None = None if task is None else task_of(task).read(columns, cells, rare)
    if own is None:
        found = read_target(first, task, positive, rare, one_class)
        alone = _ONE_COLUMN.problem(first.name, more=", ".join(c.name for c in columns[1:]), task=task or found.task)
        return found if len(columns) == 1 else replace(found, problems=(*found.problems, alone))
    unused = [(_POSITIVE_OF_LABELS, positive), (_ONE_CLASS_OF_LABELS, one_class)]
    said = [says.problem(first.name, asked=asked) for says, asked in unused if asked is not None]
    return replace(own, problems=(*own.problems, *said))


def read_target(
    column: TypedColumn,
    task: str | None = None,
    positive: str | None = None,
    rare: Rare = "refuse",
    one_class: str | None = None,
) -> Target:
    """Read a typed column as the target of a task, with everything that stands in the way.

    `rare`, `one_class`: as in `DatasetSpec`.
    """
    name, problems = column.name, []
    total = len(column.values)
    if column.missing == total:
        problems.append(_ALL_MISSING.problem(name, total))
        return Target(name, task, (), (), None, np.full(total, -1), tuple(problems))
    if column.missing:
        rows = row_numbers(column.values.isna().to_numpy())
        problems.append(
            _MISSING.problem(
                name, column.missing, rows, number=plural(column.missing, "row"), where=shown_rows(rows, column.missing)
            )
        )
    if total - column.missing < MIN_ROWS:
        problems.append(_TOO_FEW_ROWS.problem(name, total - column.missing, least=MIN_ROWS))
    if column.kind == "datetime":
        problems.append(_DATE.problem(name))
        return Target(name, task, (), (), None, np.full(total, -1), tuple(problems))
    found = task or (usual("classes").name if one_class is not None else infer_task(column))
    number = not task_of(found).has_classes
    if number and one_class is not None:
        problems.append(_ONE_CLASS_OF_NUMBER.problem(name, one=one_class))
    if number:
        if positive is not None:
            problems.append(_POSITIVE_OF_NUMBER.problem(name, positive=positive))
        return _number(column, found, problems)
    return _classification(column, task, found, positive, problems, rare, one_class)


def _number(column: TypedColumn, task: str, problems: list[Problem]) -> Target:
    name = column.name
    if pd.api.types.is_float_dtype(column.values.dtype):
        values = column.values.to_numpy(np.float64)
    else:
        values = pd.to_numeric(column.values.astype("object"), errors="coerce").to_numpy(np.float64, na_value=np.nan)
        lost = int(np.isnan(values).sum()) - column.missing
        if lost:
            problems.append(_NOT_NUMERIC.problem(name, lost))
    known = values[~np.isnan(values)]
    if len(known) and known.min() == known.max():
        problems.append(_ONE_NUMBER.problem(name, value=float(known[0])))
    problems += task_of(task).problems(name, values)
    return Target(name, task, (), (), None, values, tuple(problems))


def _classification(
    column: TypedColumn,
    asked: str | None,
    task: str,
    positive: str | None,
    problems: list[Problem],
    rare: Rare,
    one_class: str | None,
) -> Target:
    name = column.name
    codes, labels = _labels(column)
    if one_class is not None:
        one = _class(labels, one_class, name, problems)
        if one is not None:
            codes, labels, said = classes.against_rest(codes, labels, one, name)
            problems.append(said)
            asked, positive = None, one if positive is None else positive
    elif rare != "refuse":
        codes, labels, done = classes.without_rare(codes, labels, rare, name)
        problems += done
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    if len(labels) > CLASSES or (len(labels) > FEW_CLASSES and len(labels) > 0.5 * int(counts.sum())):
        numeric = pd.api.types.is_float_dtype(column.values.dtype) or all(_is_number(v) for v in labels[:100])
        too_many = _CLASSES_ARE_NUMBERS if numeric else _CLASSES_ARE_TEXTS
        problems.append(too_many.problem(name, len(labels)))
        return Target(name, task, (), (), None, codes, tuple(problems))
    if asked is not None and one_class is None and not task_of(infer_task(column)).has_classes:
        few = bool((counts < MIN_CLASS_ROWS).any())
        like = _ONLY_REGRESSION if few else _LIKE_REGRESSION
        problems.append(like.problem(name, len(labels)))
        if few:
            return Target(name, task, (), (), None, codes, tuple(problems))
    if len(labels) < 2:
        problems.append(_ONE_CLASS.problem(name, value=labels[0]))
    if asked is not None and task_of(asked).positive and len(labels) > 2:
        problems.append(_NOT_BINARY.problem(name, len(labels)))
    problems += classes.too_small(labels, counts, codes, name)
    chosen, task = None, task_of(task).settled(len(labels))
    if len(labels) == 2:
        chosen = _positive(labels, counts, positive, name, problems)
        if labels[0] == chosen:
            labels, counts = labels[::-1], counts[::-1]
            codes = np.where(codes >= 0, 1 - codes, -1)
    elif positive is not None:
        problems.append(_POSITIVE_OF_MANY.problem(name, positive=positive, number=len(labels)))
    return Target(name, task, tuple(labels), tuple(int(c) for c in counts), chosen, codes, tuple(problems))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _labels(column: TypedColumn) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Turn any typed column into class indices and labels, numbers in numeric order."""
    values = column.values
    if pd.api.types.is_float_dtype(values.dtype):
        held = values.to_numpy()
        unique = np.unique(held[~np.isnan(held)])
        codes = np.searchsorted(unique, held)
        codes[np.isnan(held)] = -1
        return codes.astype(np.int64), [str(int(v)) if v == int(v) else repr(float(v)) for v in unique]
    if not isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype("category")
    used = values.cat.remove_unused_categories()
    labels = [str(c) for c in used.cat.categories]
    return used.cat.codes.to_numpy().astype(np.int64), labels


def _positive(
    labels: list[str], counts: npt.NDArray[np.int64], asked: str | None, name: str, problems: list[Problem]
) -> str:
    found = _class(labels, asked, name, problems) if asked is not None else None
    if found is not None:
        return found
    yes = [x for x in labels if x.casefold() in _POSITIVE_WORDS]
    return yes[0] if len(yes) == 1 else labels[int(np.argmin(counts))]


def _class(labels: list[str], asked: str, name: str, problems: list[Problem]) -> str | None:
    """Find a class by its name as people write it, or say that there is none."""
    same = [x for x in labels if x == asked] or [x for x in labels if x.casefold() == asked.strip().casefold()]
    same = same or [x for x in labels if _is_number(x) and _is_number(asked) and float(x) == float(asked)]
    if same:
        return same[0]
    problems.append(_UNKNOWN_CLASS.problem(name, asked=asked, guess=near(asked, labels), listed=", ".join(labels[:50])))
    return None
