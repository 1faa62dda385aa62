"""A run's teacher as a package of soft labels: chosen columns of rows with its answers, and no labels.

What the package tells anyway is computed and said: soft labels are close to labels, and rows are rows.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from kd_core.data.archives.label_package import MANIFEST, ROWS, Manifest
from kd_core.data.dataset import SPLITS, Array, Dataset
from kd_core.data.input_spec import TABLE
from kd_core.data.pictures.column import shape_of
from kd_core.data.preparation import prepare
from kd_core.data.types.answered import answer_column
from kd_core.data.types.part_column import PART
from kd_core.distill.meeting import hears_network
from kd_core.distill.terms import hears_features, hears_maps
from kd_core.errors import DataError, SpecError
from kd_core.safe_io import write_bytes
from kd_core.specs import ColumnKind, RunSpec
from kd_core.task import IN_PARTS, task_of
from kd_core.teachers import SOURCES, made_rows
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.answers import teacher_answers
from kd_core.teachers.base import Notify, ShouldStop, TeacherAnswers, without_own_columns
from kd_core.workspace import workspace

ALL, ENCODED = ("all",), ("encoded",)  # in place of names of columns
_AVERAGES = "Encoded columns may hold averages of the target over the rows of a category."
_SHUFFLE_SEED = 20261126
_DATE = (1980, 1, 1, 0, 0, 0)  # of members: the same package is the same bytes


def offered(dataset: Dataset) -> list[str]:
    """Name the columns that may be shared: what students read, apart from pictures, which no table holds."""
    return [name for name in dataset.columns if not shape_of(dataset.rows[name])]


def write(
    spec: RunSpec,
    folds: int,
    out: Path,
    columns: Sequence[str],
    *,
    made: bool = False,
    notify: Notify,
    should_stop: ShouldStop,
) -> Manifest:
    """Write the package of a run and return what it says of itself; answers that are kept no longer are made again.

    `columns`: names, or ("all",), or ("encoded",): what the table view makes of them, without names. `made`: rows put together from
    training rows in place of the rows themselves. `folds`: those of the run.
    Errors: SpecError `nothing_shared`, `no_such_column`, `encoded_made`, `made_rows_teacher`, `package_several`, `package_labels`; DataError; Stopped.
    """
    dataset = prepare(without_own_columns(spec.dataset, spec.teacher))
    if IN_PARTS(task_of(dataset.task)):
        raise SpecError(
            "A package of soft labels holds the answers to one target; this run has {count}: {names}.",
            "Make a run of the one that you want to share.",
            "package_several",
            count=1 + len(dataset.spec.more_targets),
            names=", ".join((dataset.spec.target, *dataset.spec.more_targets)),
        )
    if task_of(dataset.task).each_alone:
        raise SpecError(
            "A package of soft labels holds one class or one number a row; rows of this run may have several labels.",
            "Share the student instead, or the run's own soft_labels.npz.",
            "package_labels",
        )
    if dataset.catalogue is not None:
        raise SpecError(
            "Soft labels of a catalogue of {items:,} items are not shared: a column for each would take gigabytes.",
            "Share the student instead, or the run's own soft_labels.npz, which holds the most likely items of some rows.",
            "package_catalogue",
            items=dataset.catalogue,
        )
    shared = _chosen(dataset, columns, made)
    times = spec.training.made_rows or int(made)
    rows = made_rows.make(dataset, folds, spec.training.first_seed, times) if times else None
    found = teacher_answers(
        dataset,
        spec.teacher,
        folds=folds,
        seed=spec.training.first_seed,
        cache=TeacherCache(workspace() / "teachers"),
        notify=notify,
        should_stop=should_stop,
        device="cpu",
        hidden=hears_features(spec.objective),
        maps=hears_maps(spec.objective),
        weights=hears_network(spec),
        metric=spec.evaluation.metric,
        made=rows,
    )
    table, z, parts, y = _own(dataset, found, shared) if not made or rows is None else _made(rows, found, shared)
    known = ~np.isnan(z[:, 0])
    order = np.random.default_rng(_SHUFFLE_SEED).permutation(np.flatnonzero(known))  # not in the order of the data
    answers = _answers(dataset, z[order])
    taken = [name for name in (*answers, PART) if name in table.columns]
    if taken:
        raise DataError(
            "The columns {names} have names that the package needs.",
            "Leave them out, or rename them.",
            "package_names",
            names=", ".join(taken),
        )
    whole = pd.concat([table.iloc[order].reset_index(drop=True), answers], axis=1)
    if parts is not None:
        whole[PART] = parts[order]
    packed = _parquet(whole)
    averages = [_AVERAGES] if shared is None else []
    about = Manifest(
        format="kd-workbench soft labels",
        version=1,
        name=dataset.name[:120],
        rows=len(order),
        sha256=hashlib.sha256(packed).hexdigest(),
        kinds={name: _kind(table[name], name in dataset.texts) for name in table},
        answers=tuple(answers),
        classes=dataset.classes,
        part=None if parts is None else PART,
        teacher=SOURCES.get(spec.teacher.name).title,
        folds=found.folds,
        made=made,
        encoded=tuple(columns) == ENCODED,
        left_out=int((~known).sum()),
        leaks=(*_leaks(dataset, z[order], None if y is None else y[order], made, len(table.columns)), *averages),
    )
    write_bytes(out, _zip(about, packed))
    return about


def _chosen(dataset: Dataset, columns: Sequence[str], made: bool) -> list[str] | None:
    """Return the names of the columns to share, None for encoded ones."""
    known = offered(dataset)
    if tuple(columns) == ENCODED:
        if made or TABLE not in dataset.views.kinds:
            raise SpecError(
                "Made rows, and rows without a table, can't be shared encoded.", "Name columns.", "encoded_made"
            )
        return None
    chosen = known if tuple(columns) == ALL else list(dict.fromkeys(columns))
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise SpecError(
            "There is no column {unknown} to share. Students read: {known}.",
            "Name columns that students read; the target, and pictures, are not shared.",
            "no_such_column",
            unknown=", ".join(unknown[:20]),
            known=", ".join(known[:50]) or "none",
        )
    if not chosen:
        raise SpecError(
            "No column is chosen, so nothing would be shared.",
            "Name columns (--columns a,b), all of them (--columns all), or their encoding (--columns encoded).",
            "nothing_shared",
        )
    return chosen


Shared = tuple[pd.DataFrame, Array, Array | None, Array | None]  # rows, logits, part of the split, labels


def _own(dataset: Dataset, found: TeacherAnswers, shared: list[str] | None) -> Shared:
    """Gather the rows of all parts."""
    ids = np.concatenate([dataset.parts[split].row_ids for split in SPLITS])
    z = np.concatenate([found.logits[split] for split in SPLITS])
    parts = np.repeat(np.array(SPLITS, dtype=object), [len(dataset.parts[split]) for split in SPLITS])
    y = np.concatenate([dataset.parts[split].y for split in SPLITS])
    if shared is not None:
        return dataset.rows[shared].iloc[ids].reset_index(drop=True), z, parts, y
    x = np.concatenate([np.asarray(dataset.view(TABLE).parts[split]) for split in SPLITS])
    return pd.DataFrame(x, columns=[f"x{i}" for i in range(1, x.shape[1] + 1)]), z, parts, y


def _made(rows: made_rows.MadeRows, found: TeacherAnswers, shared: list[str] | None) -> Shared:
    assert found.made is not None and shared is not None
    return rows.frame[shared].reset_index(drop=True), found.made, None, None


def _answers(dataset: Dataset, z: Array) -> pd.DataFrame:
    """Write logits as probabilities by class, or as numbers in the target's unit."""
    task = task_of(dataset.task)
    told = task.answers(z.astype(np.float64), dataset.target_mean, dataset.target_std)
    if not task.has_classes:
        return pd.DataFrame({"answer": told["values"]})
    return pd.DataFrame(
        {answer_column(c): p for c, p in zip(dataset.classes, told["p"].T.astype(np.float32), strict=True)}
    )


def _kind(column: pd.Series, text: bool) -> ColumnKind:
    """Name the type of a typed column, so that whoever reads the package sees the same."""
    if text:
        return "text"
    if column.dtype.kind == "M":
        return "datetime"
    if column.dtype.kind in "fiu":
        return "number"
    return "category"


def _parquet(frame: pd.DataFrame) -> bytes:
    plain = {name: c if c.dtype.kind in "fiuM" else c.astype("string") for name, c in frame.items()}
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(pd.DataFrame(plain), preserve_index=False), out, compression="zstd")
    return out.getvalue()


def _zip(about: Manifest, packed: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in ((MANIFEST, about.to_json().encode()), (ROWS, packed)):
            archive.writestr(zipfile.ZipInfo(name, _DATE), data)
    return out.getvalue()


def _leaks(dataset: Dataset, z: Array, y: Array | None, made: bool, columns: int) -> tuple[str, ...]:
    """Say what can be learned from a package that holds no labels."""
    found = []
    if y is not None and dataset.spec.answer_columns == ():
        if task_of(dataset.task).has_classes:
            right = float((z.argmax(axis=1) == y).mean())
            found.append(f"The teacher's highest answer is the true label in {right:.1%} of the rows.")
        else:
            values = task_of(dataset.task).answers(z.astype(np.float64), dataset.target_mean, dataset.target_std)[
                "values"
            ]
            near = float(np.corrcoef(values, y)[0, 1]) if len(y) > 1 and np.ptp(values) > 0 else 0.0
            found.append(f"The answers follow the true numbers with a correlation of {near:.3f}.")
    if made:
        found.append(
            "Every row is put together from two near rows of the data: its values are real ones, the row is not."
        )
    else:
        found.append(
            f"Every row is a row of the data, with {columns} columns: whoever knows these of somebody finds the row, and that it was there."
        )
    return tuple(found)
