"""New rows read as those of the run were: the same columns, the same words for classes, and what of them is not known yet.

Legend: M new rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array, Dataset
from kd_core.data.files.reading import read_table
from kd_core.data.library import DataLibrary
from kd_core.data.pictures.cells import read_cells
from kd_core.data.pictures.column import column_of, picture_columns, shape_of
from kd_core.data.profile import Understanding
from kd_core.data.readers.pictures import unsorted_pictures
from kd_core.data.table import Table
from kd_core.data.types.raw_rows import columns_of, typed_rows
from kd_core.data.types.typed_column import coerce
from kd_core.errors import DataError, Problem, Says
from kd_core.safe_io import sha256_file, shown_name
from kd_core.specs import ContinueSpec
from kd_core.task import task_of
from kd_core.workspace import workspace

FEWEST = 40  # new rows; of fewer a quarter says nothing
_SHOWN = 5  # values named as examples

_NEW_VALUES = Says(
    "new_categories",
    "warning",
    "{count:,} new rows hold {values:,} {values:value|values} in {column} that no training row of the run held, for example {examples}.",
    "They are read as any unknown value: the way of reading stays the run's own. A new run on all rows would learn them.",
)
_UNKNOWN_CLASSES = Says(
    "new_classes",
    "warning",
    "{count:,} new rows have labels that are no class of the run ({examples}); they are learned from the teacher's answers alone.",
    "A student keeps the classes it has. A new run on all rows would learn new ones.",
)
_NO_LABELS = Says(
    "new_rows_unlabelled",
    "note",
    "{count:,} of {total:,} new rows have no label: there the teacher's answers alone teach, and the student without a teacher learns "
    "nothing from them.",
    "What was learned of them is measured as agreement with the teacher, where no new row has a label.",
)
_READ = Says("new_rows_read", "note", "New rows: {said}")


@dataclass(frozen=True)
class NewRows:
    """Rows in the order of their file. Shape: `y` (M,) as labels are stored, 0 where `labelled` (M,) is False. `frame` holds the columns of the run, typed."""

    name: str
    sha256: str
    frame: pd.DataFrame
    y: Array
    labelled: Array
    problems: tuple[Problem, ...]

    def __len__(self) -> int:
        return len(self.frame)


def read(asked: ContinueSpec, old: Dataset, known: Understanding) -> NewRows:
    """Read the file of new rows by the rules of a run.

    Errors: DataError `changed_file`, `few_new_rows`, `new_labels`, `columns_missing`; those of the reader.
    """
    path = DataLibrary(workspace()).resolve(asked.source)
    sha256 = sha256_file(path)
    name = asked.name or shown_name(path.name)
    if asked.sha256 not in (None, sha256):
        raise DataError(
            "{name} is not the file of new rows any more (sha256 {found}…, expected {wanted}…).",
            "Restore the file, or go on with the new one.",
            "changed_file",
            name=name,
            found=sha256[:12],
            wanted=str(asked.sha256)[:12],
        )
    table = _table(path, old, name)
    given = table.frame
    if len(given) < FEWEST:
        raise DataError(
            "{name} holds {rows:,} rows; to go on needs at least {least}.",
            "Collect more rows, or ask for answers to these: predict.",
            "few_new_rows",
            name=name,
            rows=len(given),
            least=FEWEST,
        )
    types = {column.name: column.type for column in known.features}
    drawn = picture_columns(types)
    plain = {column: kind for column, kind in types.items() if column not in drawn}
    typed, _, lost = typed_rows(given[[column for column in given.columns if column in plain]], plain)
    seen, told = _pictures(given, drawn, old)
    typed, lost = pd.DataFrame({**typed, **seen})[list(types)], (*lost, *told)
    problems = [*table.problems, *(_READ.problem(said=told) for told in lost)]
    problems += [one for column in types if (one := _new_values(column, typed[column], old)) is not None]
    more = {
        str(column): coerce(given[column], known.typed[str(column)].type)
        for column in given.columns
        if str(column) in known.typed and str(column) not in types and str(column) != old.spec.target
    }
    y, labelled, said = _labels(given, old, known)
    frame = pd.DataFrame({str(column): typed[column] for column in typed} | more)
    return NewRows(name, sha256, frame.reset_index(drop=True), y, labelled, (*problems, *said))


def _table(path: Path, old: Dataset, name: str) -> Table:
    """Read the file as the run's was; pictures that nobody sorted into class folders have no labels. Errors: those of the reader."""
    try:
        return read_table(path, old.settled, name)
    except DataError as error:
        if error.code != "class_folders" or not any(shape_of(old.rows[column]) for column in old.columns):
            raise
        return unsorted_pictures(path, old.settled, name, old.classes)


def _pictures(given: pd.DataFrame, names: Sequence[str], old: Dataset) -> tuple[dict[str, pd.Series], tuple[str, ...]]:
    """Bring the pictures of columns to the size of the run's own. Errors: DataError `columns_missing`, those of `read_cells`."""
    found: dict[str, pd.Series] = {}
    told: list[str] = []
    cells, _ = columns_of(given, names)
    for name in names:
        shape = shape_of(old.rows[name])
        assert shape is not None
        pixels, said = read_cells(cells[name], shape, name)
        found[name] = column_of(pixels)
        told += said
    return found, tuple(told)


def _new_values(column: str, values: pd.Series, old: Dataset) -> Problem | None:
    """Count the rows with a value of a category that the training rows did not hold."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return None
    known = set(map(str, old.rows[column].iloc[old.train.row_ids].dropna().unique()))
    fresh = values[values.notna() & ~values.astype("object").map(str).isin(known)].astype("object").map(str)
    if not len(fresh):
        return None
    different = sorted(fresh.unique())
    examples = ", ".join(repr(one[:40]) for one in different[:_SHOWN])
    return _NEW_VALUES.problem(column, len(fresh), values=len(different), examples=examples)


def _labels(given: pd.DataFrame, old: Dataset, known: Understanding) -> tuple[Array, Array, list[Problem]]:
    """Read labels as the run's target was; a row without one, or with one that is no class of the run, is unlabelled."""
    task, name, count = task_of(old.task), old.spec.target, len(given)
    if name not in given.columns:
        return np.zeros(count, task.label_dtype), np.zeros(count, bool), [_NO_LABELS.problem(count=count, total=count)]
    values = coerce(given[name], known.typed[name].type)
    if task.has_classes:
        y, labelled, odd = _classes(values, old)
    else:
        y = pd.to_numeric(values.astype("object"), errors="coerce").to_numpy(np.float64, na_value=np.nan)
        labelled = np.isfinite(y)
        y, odd = np.where(labelled, y, 0.0), given[name][~labelled & given[name].notna().to_numpy(bool)]
    texts = [repr(str(one)[:40]) for one in pd.unique(odd.dropna().astype("object"))[:_SHOWN]]
    if not labelled.any() and len(odd):
        raise DataError(
            "None of the {rows:,} new rows has a label of this task in {target}: found {examples}.",
            "Check the column; known are: {known}. Leave the column out where there are no labels.",
            "new_labels",
            rows=count,
            target=name,
            examples=", ".join(texts),
            known=", ".join(old.classes[:20]) or "numbers",
        )
    said = [_UNKNOWN_CLASSES.problem(name, len(odd), examples=", ".join(texts))] if len(odd) else []
    if bare := int((~labelled).sum()):
        said.append(_NO_LABELS.problem(count=bare, total=count))
    return np.asarray(y, task.label_dtype), labelled, said


def _classes(values: pd.Series, old: Dataset) -> tuple[Array, Array, pd.Series]:
    """Number the classes as the run does; merged ones and all the rest of one class go where they went there."""
    codes: Mapping[str, int] = {label: number for number, label in enumerate(old.classes)}
    rest: int | None = None
    if old.spec.one_class is not None:
        rest = next((n for label, n in codes.items() if label.casefold() != old.spec.one_class.casefold()), None)
    elif old.spec.rare == "merge":
        rest = codes.get("other")
    written = [None if pd.isna(one) else _written(one) for one in values]
    y = np.array([-1 if one is None else codes.get(one, -1 if rest is None else rest) for one in written], np.int64)
    present = np.array([one is not None for one in written])
    return np.maximum(y, 0), y >= 0, values[present & (y < 0)]


def _written(value: Any) -> str:
    """Write a label as classes are named: whole numbers without a point."""
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else repr(value)
    return str(value)
