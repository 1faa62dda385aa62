"""A table without true labels: the target is what a teacher answered, written in columns of the table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array
from kd_core.data.types import typed_column
from kd_core.data.types.base import TypedColumn
from kd_core.errors import DataError, Problem, Says

MADE_TARGET = "teacher's answer"  # the name of the target
_NAMED = re.compile(r"p\((.*)\)", re.DOTALL)  # a class written so that nothing of its name is lost
SEPARATORS = (" ", "_", "-", ".", ":", "=")  # between what a column says and the class it is named after
NO_TRUTH = Says(
    "no_true_labels",
    "warning",
    "No true labels: figures measure agreement with the teacher, not truth.",
    "The labels are made from the answers in {names}; the baseline learns from these labels alone, and nothing is compared with the teacher.",
)
_NO_TRUTH_OF_NUMBERS = replace(
    NO_TRUTH,
    hint="The labels are the numbers in {names}: the baseline learns the same numbers, so that a tie is to be expected, and nothing is compared with the teacher.",
)
_OWN_TARGET = Says(
    "answers_and_target",
    "error",
    "The target is made from the teacher's answers, but the table has a column {column}, too.",
    "Name that column as the target, without answer columns, or rename it.",
)
_NEVER_FIRST = Says(
    "answer_never_first",
    "error",
    "The teacher's highest answer is never {names}, so that there are no rows of it to learn or measure.",
    "Add rows, or join its column with another one.",
)
_NO_CLASSES_TO_CHANGE = Says(
    "answers_keep_classes",
    "error",
    "Classes that are made from a teacher's answers can't be dropped, merged or set against the rest.",
    "Set rare to refuse and leave one class empty; join the columns of the answers instead.",
)


def add_target(
    typed: dict[str, TypedColumn], target: str, names: Sequence[str], changes_classes: bool
) -> list[Problem]:
    """Add the target to typed columns: the class of the highest answer in each row, or the number in a single column.

    A row that lacks answers has no target. Errors: DataError `soft_label_numbers`.
    """
    if target in typed:
        return [_OWN_TARGET.problem(target)]
    v = numbers(pd.DataFrame({name: typed[name].values for name in names}), names)
    if len(names) == 1:
        typed[target] = typed_column.understand(pd.Series(v[:, 0]), target, "number")
        return [_NO_TRUTH_OF_NUMBERS.problem(names=names[0])]
    classes = classes_of(names)
    known: Array = np.asarray(~np.isnan(v).any(axis=1))
    first = np.where(known[:, None], v, -np.inf).argmax(axis=1)
    labels = np.where(known, np.array(classes, dtype=object)[first], None)
    typed[target] = typed_column.understand(pd.Series(labels, dtype="str"), target, "category", missing=False)
    never = [c for at, c in enumerate(classes) if not (first[known] == at).any()]
    found = [_NEVER_FIRST.problem(target, names=", ".join(never))] if never and known.any() else []
    return [
        NO_TRUTH.problem(names=", ".join(names)),
        *found,
        *([_NO_CLASSES_TO_CHANGE.problem(target)] if changes_classes else []),
    ]


def classes_of(names: Sequence[str]) -> list[str]:
    """Name the classes of columns: what is left without their common beginning, as far as it ends in a separator.

    Example: `classes_of(["p_no", "p_yes"]) == ["no", "yes"] == classes_of(["p(no)", "p(yes)"])`
    """
    plain = [name.strip() for name in names]
    named = [found for name in plain if (found := named_class(name)) is not None]
    if len(named) == len(plain):
        return named
    ends = [0, *(at + 1 for at, sign in enumerate(plain[0]) if sign in SEPARATORS)]
    start = max(end for end in ends if all(name.startswith(plain[0][:end]) for name in plain))
    return [name[start:] or name for name in plain]


def answer_column(name: str) -> str:
    """Name the column of a class, so that `named_class` gives the class back."""
    return f"p({name})"


def named_class(column: str) -> str | None:
    """Return the class that a column is written for as `p(class)`, None for another column."""
    found = _NAMED.fullmatch(column.strip())
    return found[1] if found else None


def numbers(frame: pd.DataFrame, names: Sequence[str]) -> Array:
    """Read columns as numbers; empty cells are NaN. Shape: (N, K) float64. Errors: DataError `soft_label_numbers`."""
    found = []
    for name in names:
        column = frame[name]
        read = pd.to_numeric(
            column.astype("string").str.strip() if column.dtype.kind not in "fiub" else column, errors="coerce"
        )
        wrong = (
            read.isna()
            & column.notna()
            & ~column.astype("string").str.strip().fillna("").isin(["", "nan", "NaN", "NA"])
        )
        if wrong.any():
            row = int(np.argmax(wrong.to_numpy()))
            raise DataError(
                "{count:,} {count:value|values} of the soft labels in {column} {count:is no number|are no numbers}: row {row} holds {value!r}.",
                "Write plain numbers with a decimal point.",
                "soft_label_numbers",
                count=int(wrong.sum()),
                column=name,
                row=row + 1,
                value=str(column.iloc[row])[:40],
            )
        found.append(read.to_numpy(dtype=np.float64, na_value=np.nan))
    return np.stack(found, axis=1)
