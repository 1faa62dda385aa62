"""What shall be predicted: the target column, the task, the classes and the positive class."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data import classes
from kd_core.data.classes import Rare
from kd_core.data.types import TRUE_WORDS, TypedColumn, plural, row_numbers, shown_rows
from kd_core.errors import Problem
from kd_core.limits import CLASSES, FEW_CLASSES, MIN_CLASS_ROWS, MIN_ROWS
from kd_core.task import TASKS, task_of, usual

_POSITIVE_WORDS = TRUE_WORDS | {"positive", "pos", "bought", "purchase", "purchased", "churned", "fraud", "converted"}


@dataclass(frozen=True)
class Target:
    """The target as read.

    Shape: `values` (N,) int64 class index with -1, or float64 with NaN, where the target is missing.
    """

    name: str
    task: str | None
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    positive: str | None
    values: npt.NDArray[np.int64] | npt.NDArray[np.float64]
    problems: tuple[Problem, ...]

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Where the target is known."""
        found: npt.NDArray[np.bool_] = ~np.isnan(self.values) if self.values.dtype.kind == "f" else self.values >= 0
        return found

    @property
    def is_number(self) -> bool:
        """Whether the target is predicted as a number, not as classes."""
        return self.task is not None and not task_of(self.task).has_classes


def near(name: str, known: list[str]) -> str:
    """Write `Did you mean 'x'? ` for the nearest known name, or nothing."""
    found = difflib.get_close_matches(name.casefold(), {k.casefold(): k for k in known}, n=1)
    return f"Did you mean '{ {k.casefold(): k for k in known}[found[0]] }'? " if found else ""


def infer_task(column: TypedColumn) -> str:
    """Guess the task from the target's type and number of distinct values."""
    return max(TASKS.entries(), key=lambda e: e.make.likeness(column)).name


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
        problems.append(
            Problem(
                "error",
                "target_all_missing",
                f"Target {name}: all {total:,} values are missing.",
                "Choose another target.",
                name,
                total,
            )
        )
        return Target(name, task, (), (), None, np.full(total, -1), tuple(problems))
    if column.missing:
        rows = row_numbers(column.values.isna().to_numpy())
        problems.append(
            Problem(
                "warning",
                "target_missing",
                f"Target {name} is missing in {plural(column.missing, 'row')} ({shown_rows(rows, column.missing)}).",
                "These rows are left out.",
                name,
                column.missing,
                rows,
            )
        )
    if total - column.missing < MIN_ROWS:
        problems.append(
            Problem(
                "error",
                "too_few_rows",
                f"{total - column.missing:,} rows with a target; at least {MIN_ROWS} are needed.",
                "Add rows.",
                name,
                total - column.missing,
            )
        )
    if column.kind == "datetime":
        problems.append(
            Problem(
                "error",
                "date_target",
                f"Target {name} is a date.",
                "Choose another target, or turn it into a number such as days.",
                name,
            )
        )
        return Target(name, task, (), (), None, np.full(total, -1), tuple(problems))
    found = task or (usual("classes").name if one_class is not None else infer_task(column))
    number = not task_of(found).has_classes
    if number and one_class is not None:
        problems.append(
            Problem(
                "error",
                "one_class_unused",
                f"One class ({one_class}) against the rest needs classes; {name} is predicted as a number.",
                "Choose classification, or leave the class empty.",
                name,
            )
        )
    if number:
        if positive is not None:
            problems.append(
                Problem(
                    "error",
                    "positive_unused",
                    f"A positive class ({positive}) needs 2 classes; {name} is predicted as a number.",
                    "Leave the positive class empty.",
                    name,
                )
            )
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
            problems.append(
                Problem(
                    "error",
                    "target_not_numeric",
                    f"Target {name} can't be a regression target: {lost:,} values are no numbers.",
                    "Choose classification, or another target.",
                    name,
                    lost,
                )
            )
    known = values[~np.isnan(values)]
    if len(known) and known.min() == known.max():
        problems.append(
            Problem(
                "error", "constant_target", f"Target {name} is always {known[0]:g}.", "Choose another target.", name
            )
        )
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
        looks = "looks like regression" if numeric else "looks like an id or free text"
        hint = "Choose the task regression." if numeric else "Choose another target."
        problems.append(
            Problem(
                "error",
                "too_many_classes",
                f"Target {name} has {len(labels):,} different values: {looks}.",
                hint,
                name,
                len(labels),
            )
        )
        return Target(name, task, (), (), None, codes, tuple(problems))
    if asked is not None and one_class is None and not task_of(infer_task(column)).has_classes:
        few = bool((counts < MIN_CLASS_ROWS).any())
        problems.append(
            Problem(
                "error" if few else "warning",
                "looks_like_regression",
                f"Target {name} takes {len(labels):,} numeric values: looks like regression.",
                "Choose the task regression unless each value is a class of its own.",
                name,
                len(labels),
            )
        )
        if few:
            return Target(name, task, (), (), None, codes, tuple(problems))
    if len(labels) < 2:
        problems.append(
            Problem(
                "error",
                "one_class",
                f"Needs >= 2 classes. Target {name} is always {labels[0]!r}.",
                "Choose another target.",
                name,
            )
        )
    if asked is not None and task_of(asked).positive and len(labels) > 2:
        problems.append(
            Problem(
                "error",
                "not_binary",
                f"Target {name} has {len(labels):,} classes, a binary task has 2.",
                "Choose multiclass.",
                name,
                len(labels),
            )
        )
    problems += classes.too_small(labels, counts, codes, name)
    chosen, task = None, task_of(task).settled(len(labels))
    if len(labels) == 2:
        chosen = _positive(labels, counts, positive, name, problems)
        if labels[0] == chosen:
            labels, counts = labels[::-1], counts[::-1]
            codes = np.where(codes >= 0, 1 - codes, -1)
    elif positive is not None:
        problems.append(
            Problem(
                "error",
                "positive_unused",
                f"A positive class ({positive}) needs 2 classes; {name} has {len(labels)}.",
                "Leave the positive class empty.",
                name,
            )
        )
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
    problems.append(
        Problem(
            "error",
            "unknown_class",
            f"No class {asked!r} in target {name}.",
            f"{near(asked, labels)}Classes: {', '.join(labels[:50])}.",
            name,
        )
    )
    return None
