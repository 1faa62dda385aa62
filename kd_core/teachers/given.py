"""Answers given from outside: which numbers belong to which class, and whether they are probabilities or logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from kd_core.data.dataset import Array, Dataset
from kd_core.data.types.answered import SEPARATORS, named_class
from kd_core.errors import DataError, Problem, Says
from kd_core.task import SOME_CLASSES, task_of
from kd_core.teachers.estimator import SMALLEST_PROBABILITY, log_probabilities

Form = Literal["auto", "probabilities", "logits"]
SUMS = 0.02  # how far probabilities of a row, rounded by whoever wrote them, may add up to something else than 1

_PROBABILITIES = Says(
    "read_as", "note", "The teacher's numbers were read as probabilities: none is below 0 and each row adds up to 1."
)
_LOGITS = replace(
    _PROBABILITIES, message="The teacher's numbers were read as logits: they are not probabilities that add up to 1."
)
_SCORE = replace(
    _PROBABILITIES, message="The teacher's numbers were read as probabilities of '{positive}': all lie in 0 to 1."
)
_ODDS = replace(
    _LOGITS, message="The teacher's numbers were read as log-odds of '{positive}': they do not all lie in 0 to 1."
)
_ASKED = replace(_LOGITS, message="The teacher's numbers were read as {form}, as asked.")
_VALUES = replace(_LOGITS, message="The teacher's numbers were read as values of the target, in its own unit.")
MAYBE_SEEN = Says(
    "teacher_maybe_saw",
    "warning",
    "Whether this teacher has seen the training or test rows is not known.",
    "If it has, its answers look better than they are for new rows, and so may the comparison with it.",
)


def told(problem: Problem) -> dict[str, str]:
    """Write a finding as a note of `Answered`."""
    return {"severity": problem.severity, "code": problem.code, "message": problem.message, "hint": problem.hint}


def class_of(name: str, classes: Sequence[str]) -> str | None:
    """Find the class that a column is named after: its own name, `p(yes)`, or with something before it (`p_yes`); of several the longest."""
    if (named := named_class(name)) in classes:
        return named
    plain = name.strip().casefold()
    ends = [c for c in classes if plain == c.casefold() or plain.endswith(tuple(s + c.casefold() for s in SEPARATORS))]
    return max(ends, key=len) if ends else None


def columns_by_class(names: Sequence[str], classes: Sequence[str]) -> list[str]:
    """Find the column of each class by `class_of`; others are left out. Errors: DataError with code `soft_label_classes`."""
    found = {c: [name for name in names if class_of(name, classes) == c] for c in classes}
    wrong = [f"'{c}' ({', '.join(own) or 'none'})" for c, own in found.items() if len(own) != 1]
    if wrong:
        raise DataError(
            "The soft labels need one column per class; this is not so for {wrong}. Columns: {columns}.",
            "Name each column as its class, or with the class at its end, for example p_{first}.",
            "soft_label_classes",
            wrong="; ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""),
            columns=", ".join(names[:20]) + (", …" if len(names) > 20 else ""),
            first=classes[0],
        )
    return [own[0] for own in found.values()]


def class_order(own: Sequence[str], dataset: Dataset) -> tuple[int, ...]:
    """Find each class of a dataset among those of a model, by name. Errors: DataError `other_classes` naming what differs."""
    wanted = dataset.classes
    if sorted(own) != sorted(wanted):
        lacks, more = [c for c in wanted if c not in own], [c for c in own if c not in wanted]
        says = [f"it lacks {_some(lacks)}"] * bool(lacks) + [f"it has {_some(more)}, which the data has not"] * bool(
            more
        )
        raise DataError(
            "The teacher has other classes than the data: {differ}.",
            "Take a teacher of the same classes, or name them as the data does.",
            "other_classes",
            differ="; ".join(says) or f"one of {_some(own)} is named twice",
        )
    return tuple(list(own).index(c) for c in wanted)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def logits_of(values_NK: Array, dataset: Dataset, form: Form = "auto") -> tuple[Array, Problem]:
    """Turn numbers per row into logits, and say what they were taken for.

    Shape: (N, C), or (N, 1) for a number or for the second of two classes -> (N, C) float32. A row of NaN stays one.
    Errors: DataError `soft_label_gaps`, `soft_label_infinite`, `soft_label_columns`, `soft_label_negative`, `soft_label_sums`.
    """
    v = np.asarray(values_NK, dtype=np.float64)
    known: Array = ~np.asarray(np.isnan(v).any(axis=1))
    _refuse_rows(
        "soft_label_gaps",
        "{count:has|have} some numbers and {count:lacks|lack} others",
        "Fill them in, or empty the whole row.",
        np.asarray(~known & ~np.isnan(v).all(1)),
    )
    _refuse_rows(
        "soft_label_infinite",
        "{count:holds|hold} an infinite number",
        "Mend them, or empty the whole row.",
        np.asarray(np.isinf(v).any(1)),
    )
    task, outputs = task_of(dataset.task), dataset.num_outputs
    if v.shape[1] != outputs and not (v.shape[1] == 1 and task.positive):
        raise DataError(
            "The teacher gives {found} {found:number|numbers} a row, {wanted} are needed.",
            "Give one per class, in the names of the classes; for a number or for two classes one is enough.",
            "soft_label_columns",
            found=v.shape[1],
            wanted=outputs,
        )
    z = np.full((len(v), outputs), np.nan, dtype=np.float32)
    if task.each_alone:
        return _each_label(v, known, z, form)
    if not task.has_classes:
        z[known] = task.perfect(task.scaled(v[known, 0], dataset.target_mean, dataset.target_std), outputs)
        return z, _VALUES.problem()
    if v.shape[1] == 1:
        score = v[known, 0]
        inside = bool(((score >= 0) & (score <= 1)).all())
        if form == "probabilities" and not inside:
            raise _negative(score, "0 to 1")
        taken: Form = form if form != "auto" else "probabilities" if inside else "logits"
        p_or_z = np.stack([1 - score, score], 1) if taken == "probabilities" else np.stack([0 * score, score], 1)
        says = _SCORE if taken == "probabilities" else _ODDS
    else:
        p_or_z = v[known]
        taken = form if form != "auto" else _guess(p_or_z)
        says = _PROBABILITIES if taken == "probabilities" else _LOGITS
    if taken == "probabilities":
        _check_probabilities(p_or_z, np.flatnonzero(known))
        z[known] = log_probabilities(p_or_z / p_or_z.sum(1, keepdims=True), np.arange(outputs), outputs)
    else:
        z[known] = p_or_z
    return z, (says if form == "auto" else _ASKED).problem(positive=dataset.classes[-1], form=form)


def _each_label(v: Array, known: Array, z: Array, form: Form) -> tuple[Array, Problem]:
    """Lay out what a teacher says of each label by itself: probabilities, which need not add up to 1, or log odds. Errors: DataError."""
    inside = bool(((v[known] >= 0) & (v[known] <= 1)).all())
    taken: Form = form if form != "auto" else "probabilities" if inside else "logits"
    if taken == "probabilities":
        if not inside:
            raise _negative(v[known], "0 to 1")
        p = np.clip(v[known], SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
        z[known] = np.log(p) - np.log1p(-p)
    else:
        z[known] = v[known]
    says = _ASKED if form != "auto" else _PROBABILITIES if taken == "probabilities" else _LOGITS
    return z, says.problem(form=form)


def settled(values_NK: Array, form: Form) -> Form:
    """Say what numbers of many rows are, so that one row alone is later read alike; as asked where that is not auto. A row of NaN is passed over."""
    v = np.asarray(values_NK, np.float64)
    v = v[~np.isnan(v).any(axis=1)]
    if form != "auto" or not len(v):
        return form
    if v.shape[1] > 1:
        return _guess(v)
    return "probabilities" if bool(((v >= 0) & (v <= 1)).all()) else "logits"


def _guess(v: Array) -> Form:
    """Take numbers for probabilities where all lie in 0 to 1, or all rows add up to the same; else for logits."""
    sums = v.sum(axis=1)
    same = len(v) > 1 and np.ptp(sums) <= SUMS * max(1.0, abs(sums[0]))
    if (v >= 0).all() and ((v <= 1).all() or same):
        return "probabilities"
    return "probabilities" if bool((np.abs(sums - 1) <= SUMS).all()) else "logits"


def _check_probabilities(p: Array, rows: Array) -> None:
    if len(p) and p.min() < 0:
        raise _negative(p, "0 or above")
    sums = p.sum(axis=1)
    wrong = np.abs(sums - 1) > SUMS
    if wrong.any():
        raise DataError(
            "The probabilities of {count:,} of {all:,} rows don't add up to 1: row {row} adds up to {sum:.4g}.",
            "Divide each row by its sum, or say that the numbers are logits (form).",
            "soft_label_sums",
            count=int(wrong.sum()),
            all=len(p),
            row=int(rows[np.argmax(wrong)]) + 1,
            sum=float(sums[np.argmax(wrong)]),
        )


def _negative(p: Array, wanted: str) -> DataError:
    return DataError(
        "The probabilities go from {low:.4g} to {high:.4g}; they have to be {wanted}.",
        "Mend them, or say that the numbers are logits (form).",
        "soft_label_negative",
        low=float(p.min()),
        high=float(p.max()),
        wanted=wanted,
    )


def _refuse_rows(code: str, what: str, hint: str, wrong: Array) -> None:
    if wrong.any():
        rows = np.flatnonzero(wrong)
        raise DataError(
            f"{{count:,}} {{count:row|rows}} of the soft labels {what}, the first is row {{row}}.",
            hint,
            code,
            count=len(rows),
            row=int(rows[0]) + 1,
        )


def read_reply(reply: Any, count: int, dataset: Dataset) -> Array:
    """Check an answer and lay it out in the order of the dataset's classes.

    Shape: (count, C) float32 logits, or (count, 1) float64 values; a row of NaN is not known.
    Errors: DataError `endpoint_reply`; those of `logits_of`.
    """
    task = task_of(dataset.task)
    kinds: tuple[str, ...] = ("probabilities", "logits") if SOME_CLASSES(task) else ("values",)
    given = [kind for kind in kinds if isinstance(reply, dict) and kind in reply]
    if len(given) != 1:
        raise _wrong(f"one of {' or '.join(kinds)} is needed, it holds {_keys(reply)}")
    rows = reply[given[0]]
    if not isinstance(rows, list) or len(rows) != count:
        found = f"{len(rows):,} rows" if isinstance(rows, list) else "no list"
        raise _wrong(f"{given[0]} holds {found}, {count:,} were asked for")
    if not SOME_CLASSES(task):
        return np.array([[np.nan if row is None else _number(row, i)] for i, row in enumerate(rows)])
    order = _order(reply.get("classes"), dataset.classes)
    values = np.full((count, len(order)), np.nan)
    for i, row in enumerate(rows):
        if row is None:
            continue
        if not isinstance(row, list) or len(row) != len(order):
            raise _wrong(f"row {i + 1} has to be a list of {len(order)} numbers, one per class, or null")
        values[i] = [_number(row[at], i) for at in order]
    return logits_of(values, dataset, "probabilities" if given[0] == "probabilities" else "logits")[0]


def _order(named: Any, classes: tuple[str, ...]) -> list[int]:
    """Find each class among those that the answer names."""
    told = [str(name) for name in named] if isinstance(named, list) else []
    if sorted(told) != sorted(classes):
        missing, other = (
            ", ".join(sorted(set(a) - set(b))[:5]) or "none" for a, b in ((classes, told), (told, classes))
        )
        raise _wrong(f"its classes are not those of the data (missing: {missing}; unknown: {other}; {len(told)} named)")
    return [told.index(name) for name in classes]


def _number(value: Any, row: int) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        raise _wrong(f"row {row + 1} holds {str(value)[:40]!r}, which is no number")
    return float(value)


def _keys(reply: Any) -> str:
    return ", ".join(map(str, list(reply)[:5])) or "nothing" if isinstance(reply, dict) else f"a {type(reply).__name__}"


def _wrong(why: str) -> DataError:
    return DataError(
        "The endpoint's answer can't be used: {why}.",
        'It has to be {{"classes": [...], "probabilities": [[...], ...]}}, or "logits", or {{"values": [...]}} for a number.',
        "endpoint_reply",
        why=why,
    )
