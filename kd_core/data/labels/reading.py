"""From a column of lists, or several columns of yes and no, to a target with several labels a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.labels.cells import Lists, read_lists, text_of
from kd_core.data.plain.counted import plural
from kd_core.data.targets import Target
from kd_core.data.types.base import FALSE_WORDS, TRUE_WORDS, TypedColumn, row_numbers, shown_rows
from kd_core.errors import Problem, Says
from kd_core.limits import CLASSES, LABEL_CHARACTERS, LABELS, MIN_CLASS_ROWS, MIN_ROWS
from kd_core.task import yes_or_no

OTHER = "other"  # the label that rare ones are merged into
NO, YES = "no", "yes"

_LISTS = Says("label_lists", "note", "Target {column} is read as lists of labels ({form}): {labels} in {of}.")
_NO_LABEL = Says(
    "rows_without_label",
    "note",
    "Target {column}: {number} without a label ({where}); none of the labels counts as right there.",
    "Leave these rows out of the file if their labels are not known.",
)
_NOT_LISTS = Says(
    "not_lists",
    "error",
    "Target {column}: {number} can't be read as a list of labels, as the others are ({where}).",
    'Write every cell the same way: ["a", "b"], or labels between \';\'; at most {most} characters a label.',
)
_MIXED = Says(
    "mixed_lists",
    "error",
    "Target {column} mixes lists in brackets ({lists:,} cells) and plain text ({others:,} cells, {where}).",
    'Write every cell the same way: ["a", "b"], or labels between \';\'.',
)
_NOT_YES_NO = Says(
    "not_yes_no",
    "error",
    "Target {column} holds other values than yes and no in {number} ({where}): {listed}.",
    "A label has 0 or 1 (or yes, no) in every row; leave this column out of the targets, or choose another task.",
)
_MISSING = Says(
    "target_missing", "warning", "Target {column} is missing in {number} ({where}).", "These rows are left out."
)
_TOO_FEW_ROWS = Says("too_few_rows", "error", "{count:,} rows with a target; at least {least} are needed.", "Add rows.")
_TOO_MANY = Says(
    "too_many_labels",
    "error",
    "Target {column} holds {count:,} different labels; at most {most} can be predicted together.{rare}",
    "Keep the common labels in the file, leave rare ones out, or choose another target.",
)
_ONE_LABEL = Says(
    "one_label",
    "error",
    "Target {column} holds {number}; a task of several labels needs at least 2.",
    "Choose another target, or a task for classes.",
)
_SMALL = Says(
    "small_label",
    "error",
    "Target {column}: {number} fewer than {least} rows with it, or without it: {listed}.",
    "Leave rare labels out, or merge them.",
)
_LEFT_OUT = Says(
    "rare_labels",
    "warning",
    "Target {column}: {number} with fewer than {least} rows with it, or without it, left out ({listed}); their rows stay.",
    "A model can't learn what it sees twice.",
)
_MERGED = replace(
    _LEFT_OUT, message="Target {column}: {number} with fewer than {least} rows merged into '{other}' ({listed})."
)


def of_lists(column: TypedColumn, cells: pd.Series, task: str, rare: str) -> Target:
    """Read one column whose cells are lists of labels; an empty cell has none."""
    name, texts = column.name, [text_of(v) for v in cells]
    found = read_lists(texts)
    problems: list[Problem] = []
    if found.form.mixed:
        other = np.array([bool(t) and not t.startswith("[") for t in texts])
        where, count = row_numbers(other), int(other.sum())
        lists = sum(t.startswith("[") for t in texts)
        problems.append(_MIXED.problem(name, count, where, where=shown_rows(where, count), lists=lists, others=count))
        return _none(name, task, len(texts), problems)
    if bad := int(found.bad.sum()):
        where = row_numbers(found.bad)
        told = {"number": plural(bad, "row"), "where": shown_rows(where, bad)}
        problems.append(_NOT_LISTS.problem(name, bad, where, most=LABEL_CHARACTERS, **told))
        return _none(name, task, len(texts), problems)
    names, pairs, done = _kept(found, rare, name, len(texts))
    problems += done
    if len(names) > LABELS:
        hint = (
            ""
            if rare != "refuse"
            else f" {int((_counts(found) < MIN_CLASS_ROWS).sum()):,} of them stand in fewer than {MIN_CLASS_ROWS} rows."
        )
        problems.append(_TOO_MANY.problem(name, len(names), most=LABELS, rare=hint))
        return _none(name, task, len(texts), problems)
    values = np.zeros((len(texts), len(names)), np.int64)
    values[pairs] = 1
    problems.append(
        _LISTS.problem(name, form=found.form.words, labels=plural(len(names), "label"), of=plural(len(texts), "row"))
    )
    if count := int((values.sum(axis=1) == 0).sum()):
        where = row_numbers(values.sum(axis=1) == 0)
        problems.append(
            _NO_LABEL.problem(name, count, where, number=plural(count, "row"), where=shown_rows(where, count))
        )
    return _finished(name, task, names, values, problems, rare)


def _counts(found: Lists) -> npt.NDArray[np.int64]:
    return np.bincount(found.codes, minlength=len(found.names)).astype(np.int64)


def _kept(found: Lists, rare: str, name: str, rows: int) -> tuple[list[str], Any, list[Problem]]:
    """Leave rare labels out or merge them, before a table of all is made. Returns names and places (rows, labels)."""
    counts = _counts(found)
    small = np.minimum(counts, rows - counts) < MIN_CLASS_ROWS
    if rare == "refuse" or not small.any():
        return list(found.names), (found.rows, found.codes), []
    kept = [label for label, out in zip(found.names, small, strict=True) if not out]
    if rare == "merge" and OTHER not in kept:
        kept.append(OTHER)
    fallback = kept.index(OTHER) if rare == "merge" else -1
    place = {label: i for i, label in enumerate(kept)}
    table = np.array([place.get(label, fallback) for label in found.names], np.int64)
    codes = table[found.codes]
    said = (_MERGED if rare == "merge" else _LEFT_OUT).problem(
        name,
        int(small.sum()),
        number=plural(int(small.sum()), "label"),
        least=MIN_CLASS_ROWS,
        listed=_listed(list(found.names), counts, np.flatnonzero(small)),
        other=OTHER,
    )
    return kept, (found.rows[codes >= 0], codes[codes >= 0]), [said]


def of_columns(columns: Sequence[TypedColumn], cells: Mapping[str, pd.Series], task: str, rare: str) -> Target:
    """Read several columns of yes and no as the labels that they name; rows where one is missing are left out."""
    first, problems = columns[0].name, list[Problem]()
    values = np.full((len(columns[0].values), len(columns)), -1, np.int64)
    for k, column in enumerate(columns):
        told, other = yes_no(cells[column.name])
        values[:, k] = told
        if count := int(other.sum()):
            where = row_numbers(other)
            seen = dict.fromkeys(text_of(v)[:40] for v in cells[column.name][other].iloc[:200])
            listed = ", ".join(list(seen)[:5])
            place = {"number": plural(count, "row"), "where": shown_rows(where, count), "listed": listed}
            problems.append(_NOT_YES_NO.problem(column.name, count, where, **place))
        elif count := int((told < 0).sum()):
            where = row_numbers(told < 0)
            place = {"number": plural(count, "row"), "where": shown_rows(where, count)}
            problems.append(_MISSING.problem(column.name, count, where, **place))
    if any(p.severity == "error" for p in problems):
        return _none(first, task, len(values), problems)
    values[(values < 0).any(axis=1)] = -1
    names = [c.name for c in columns]
    known = values[values[:, 0] >= 0]
    counts = known.sum(axis=0)
    small = np.minimum(counts, len(known) - counts) < MIN_CLASS_ROWS
    if small.any() and rare != "refuse" and len(known):
        said = (_MERGED if rare == "merge" else _LEFT_OUT).problem(
            first,
            int(small.sum()),
            number=plural(int(small.sum()), "label"),
            least=MIN_CLASS_ROWS,
            listed=_listed(names, counts, np.flatnonzero(small)),
            other=OTHER,
        )
        problems.append(said)
        together = values[:, small].max(axis=1)
        values, names = values[:, ~small], [n for n, out in zip(names, small, strict=True) if not out]
        if rare == "merge":
            values, names = np.column_stack([values, together]), [*names, OTHER]
    return _finished(first, task, names, values, problems, rare)


def yes_no(cells: pd.Series) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Read cells as 1 and 0, -1 where missing, and say which are neither. Shape: (N,), (N,)."""
    codes, unique = pd.factorize(cells, use_na_sentinel=True)
    words = [text_of(v).casefold() for v in unique]
    of = np.array([1 if w in TRUE_WORDS else 0 if w in FALSE_WORDS else -1 if not w else -2 for w in words] + [-1])
    found = of[codes].astype(np.int64)
    return np.maximum(found, -1), found == -2


def _finished(
    name: str, task: str, names: list[str], values: npt.NDArray[np.int64], problems: list[Problem], rare: str
) -> Target:
    known = values[values[:, 0] >= 0] if values.shape[1] else values[:0]
    if len(known) < MIN_ROWS:
        problems.append(_TOO_FEW_ROWS.problem(name, len(known), least=MIN_ROWS))
    if len(names) < 2:
        problems.append(_ONE_LABEL.problem(name, number=plural(len(names), "label")))
        return _none(name, task, len(values), problems)
    counts = known.sum(axis=0)
    small = np.flatnonzero(np.minimum(counts, len(known) - counts) < MIN_CLASS_ROWS)
    if len(small):
        listed, number = _listed(names, counts, small), plural(len(small), "label has", "labels have")
        held = {"number": number, "listed": listed, "least": MIN_CLASS_ROWS, "classes": names[:CLASSES]}
        problems.append(_SMALL.problem(name, len(small), (), **held))
    numbers = tuple(int(c) for c in counts)
    inside = tuple(
        Target(label, yes_or_no().name, (NO, YES), (len(known) - n, n), YES, values[:, k], ())
        for k, (label, n) in enumerate(zip(names, numbers, strict=True))
    )
    return Target(name, task, tuple(names), numbers, None, values, tuple(problems), inside)


def _none(name: str, task: str, rows: int, problems: list[Problem]) -> Target:
    return Target(name, task, (), (), None, np.full(rows, -1), tuple(problems))


def _listed(names: list[str], counts: npt.NDArray[np.int64], small: npt.NDArray[np.int64]) -> str:
    named = ", ".join(f"{names[i][:60]} ({plural(int(counts[i]), 'row')})" for i in small[:5])
    return named + (f" and {len(small) - 5:,} more" if len(small) > 5 else "")
