"""Soft labels as a teacher: answers that somebody wrote down, in a file or in columns of the data."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
from pydantic import Field

from kd_core.data.dataset import SPLITS, Array, Dataset
from kd_core.data.files.reading import read_table
from kd_core.data.library import UPLOADS, DataLibrary
from kd_core.data.types.answered import numbers
from kd_core.data.types.part_column import PART
from kd_core.errors import DataError, Problem, Says, SpecError
from kd_core.models.building import SHORT_FORM
from kd_core.specs import FILE, Spec, unit
from kd_core.task import IN_FULL, SOME_CLASSES, task_of
from kd_core.teachers.base import SOURCES, Answered, Ask
from kd_core.teachers.estimator import stop_if_asked
from kd_core.teachers.given import MAYBE_SEEN, Form, class_of, columns_by_class, logits_of, told
from kd_core.workspace import workspace

_OTHER_ROWS = Says(
    "soft_label_other_rows",
    "warning",
    "{count:,} rows of the soft labels belong to no row of the data.",
    "They are left out.",
)
_ALIKE = Says(
    "package_rows_alike",
    "note",
    "{count:,} rows of the package are like another one in {names}; the first of them answers for all.",
)
_OTHER_COLUMNS = Says("soft_label_other_columns", "note", "Columns of the soft labels that were not read: {names}.")


class SoftLabelsSpec(Spec):
    """Where the answers are and what they are."""

    path: str | None = Field(
        None,
        pattern=FILE,
        description="Table with the answers, one row per row of the data, or a package of soft labels; when empty they are columns of the data itself.",
        json_schema_extra=unit("file", file=(".csv", ".parquet", ".xlsx", ".jsonl", ".gz", ".zip")),
    )
    columns: tuple[str, ...] = Field(
        (),
        max_length=1000,
        description="Columns with the answers: one per class with the class in its name, or one score; of the file all that fit, when empty. "
        "Columns of the data are kept from the students.",
        json_schema_extra=unit("names", columns=True),
    )
    id: str | None = Field(
        None,
        max_length=200,
        description="Column that names a row, in the data and in the file; when empty the file has the rows in the order of the data, and rows of "
        "a package are found by the columns that it shares.",
        json_schema_extra=unit("name", columns=True),
    )
    form: Form = Field(
        "auto", description="What the numbers are; told from the numbers when auto.", json_schema_extra=unit("name")
    )


def _missing(spec: SoftLabelsSpec) -> SpecError | None:
    if spec.path or spec.columns:
        return None
    return SpecError(
        "The soft labels are neither in a file nor in columns of the data.",
        "Name a file (path), or the columns that hold them (columns).",
        "soft_labels_where",
    )


@SOURCES.register(
    "soft_labels",
    title="Soft labels (file or columns)",
    spec=SoftLabelsSpec,
    tasks=IN_FULL,
    because={"task": SHORT_FORM},
    takes=(),
    gives=frozenset({"logits"}),
    family="given",
    missing=_missing,
    own_columns=lambda spec: spec.columns if spec.path is None else (),
)
def answer(spec: SoftLabelsSpec, ask: Ask) -> Answered:
    """Look the answers up; rows that have none stay unknown. Errors: DataError, SpecError, Stopped."""
    stop_if_asked(ask.should_stop)
    start, dataset = time.perf_counter(), ask.dataset
    if error := _missing(spec):
        raise error
    frame, own = (dataset.rows, ()) if spec.path is None else _read(spec)
    offered = [*own, *([spec.id] if spec.id else [])] if own and not spec.columns else [str(c) for c in frame.columns]
    names = _columns(spec, offered, dataset)
    z, taken = logits_of(numbers(frame, names), dataset, spec.form)
    at, found = _by_features(frame, own, dataset) if own and spec.id is None else _rows(spec, frame, dataset)
    if spec.path is not None and not spec.columns:
        left = [str(c) for c in frame.columns if c not in (*names, spec.id)]
        found += [_OTHER_COLUMNS.problem(names=", ".join(left[:20]))] if left else []
    z_RC = np.concatenate([z, np.full((1, z.shape[1]), np.nan, np.float32)])[at]  # -1: the row of NaN at the end
    logits = {split: z_RC[dataset.parts[split].row_ids] for split in SPLITS}
    if np.isnan(logits["train"][:, 0]).all():
        raise DataError(
            "The soft labels answer none of the {rows:,} training rows.",
            "Check the id column, or give answers for training rows.",
            "soft_labels_none",
            rows=len(dataset.train),
        )
    notes = tuple(told(problem) for problem in (taken, *found, MAYBE_SEEN.problem()))
    nothing = {"onnxruntime": {"reason": "only this teacher's answers are known"}}
    return Answered(logits, None, None, nothing, time.perf_counter() - start, notes=notes)


def _read(spec: SoftLabelsSpec) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read the file; of a package also which columns hold the answers. Errors: DataError of the reader."""
    table = read_table(DataLibrary(workspace(), UPLOADS).resolve(str(spec.path)), name="the soft labels")
    return table.frame, table.answers


def _columns(spec: SoftLabelsSpec, names: list[str], dataset: Dataset) -> list[str]:
    """Choose the columns to read, in the order of the classes; one column is a score."""
    missing = [name for name in (*spec.columns, *([spec.id] if spec.id and spec.path else [])) if name not in names]
    if missing:
        raise DataError(
            "The soft labels have no column {missing}.",
            "Columns: {known}.",
            "unknown_column",
            missing=", ".join(missing),
            known=", ".join(names[:50]),
        )
    chosen = list(spec.columns) or [name for name in names if name != spec.id]
    task = task_of(dataset.task)
    other = class_of(chosen[0], dataset.classes[:1]) if len(chosen) == 1 and task.positive else None
    if len(chosen) == 1 and other is None and (task.positive or not SOME_CLASSES(task)):
        return chosen
    return columns_by_class(chosen, dataset.classes) if SOME_CLASSES(task) else chosen


def _rows(spec: SoftLabelsSpec, frame: pd.DataFrame, dataset: Dataset) -> tuple[Array, list[Problem]]:
    """Find the row of the soft labels for each row of the data, -1 where there is none. Shape: (rows of the data,)."""
    if spec.path is None or spec.id is None:
        if len(frame) != len(dataset.rows):
            raise DataError(
                "The soft labels have {found:,} rows, the data has {wanted:,}.",
                "Give one row for each, in the same order, or name the column (id) by which rows are found.",
                "soft_label_rows",
                found=len(frame),
                wanted=len(dataset.rows),
            )
        return np.arange(len(frame)), []
    if spec.id not in dataset.rows.columns:
        raise DataError(
            "The data has no column {id!r} by which soft labels could be found.",
            "Name a column that both tables have.",
            "unknown_column",
            id=spec.id,
        )
    theirs, ours = _keys(frame[spec.id]), _keys(dataset.rows[spec.id])
    double = theirs.duplicated() & theirs.notna()
    if double.any():
        raise DataError(
            "The soft labels name {count:,} {count:row|rows} more than once, for example {value}.",
            "Keep one answer for each row.",
            "soft_label_ids",
            count=int(double.sum()),
            value=theirs[double].iloc[0],
        )
    at = pd.Index(theirs).get_indexer(pd.Index(ours))
    at[ours.isna().to_numpy()] = -1
    unused = len(theirs) - len(np.unique(at[at >= 0]))
    return at, [_OTHER_ROWS.problem(count=unused)] if unused else []


def _by_features(frame: pd.DataFrame, answers: Sequence[str], dataset: Dataset) -> tuple[Array, list[Problem]]:
    """Find a package's rows, which are in no order, by the columns that it shares; of rows that are alike there the first answers for all.

    Errors: DataError `package_rows` where none is shared. Shape: (rows of the data,).
    """
    shared = [str(c) for c in frame.columns if c not in answers and c != PART and c in dataset.rows.columns]
    if not shared:
        raise DataError(
            "The package shares no column with the data ({names}), so nobody knows which of its rows is which.",
            "Take one that shares columns of the data, or name the column (id) that names a row in both.",
            "package_rows",
            names=", ".join(map(str, dataset.columns[:20])),
        )
    theirs, ours = (_joined(one[shared]) for one in (frame, dataset.rows))
    first = ~theirs.duplicated()
    at = pd.Index(theirs[first]).get_indexer(pd.Index(ours))
    at = np.where(at >= 0, np.flatnonzero(first)[at], -1)
    alike = int((~first).sum())
    unused = int(first.sum()) - len(np.unique(at[at >= 0]))
    found = [_ALIKE.problem(count=alike, names=", ".join(shared[:20]))] if alike else []
    return at, found + ([_OTHER_ROWS.problem(count=unused)] if unused else [])


def _joined(frame: pd.DataFrame) -> pd.Series:
    """Write what a row holds in all columns as one text."""
    cells = [_keys(frame[name]).fillna("").to_numpy(dtype=object) for name in frame]
    return pd.Series(["\x1f".join(row) for row in zip(*cells, strict=True)], dtype="str")


def _keys(column: pd.Series) -> pd.Series:
    """Write ids so that 7, 7.0 and '7' are the same."""
    texts = column.astype("string").str.strip()
    return texts.str.removesuffix(".0")
