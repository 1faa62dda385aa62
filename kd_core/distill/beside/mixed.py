"""Rows mixed of two training rows by one share: numbers and pixels on the line between the two, all else from one of them.

Both rows are of one fold, so that the fold's teacher, which saw neither, can say what the mixed row is: teacher and student read the same
row. Which two and how much of each are drawn once for each time the training rows are gone through, so that answers can be kept.

Source: mixup of Zhang et al., arXiv:1710.09412, as patient teachers use it, arXiv:2106.05237: the share even between 0 and 1.
Legend: N training rows, M mixed rows, C columns.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array, Dataset
from kd_core.data.input_spec import TABLE
from kd_core.data.pictures.column import column_of, picture_columns, picture_hashes, pixels_of
from kd_core.data.types.base import ColumnType
from kd_core.data.view import View, Viewed
from kd_core.data.views.pixels import PixelsView
from kd_core.errors import DataError, Says
from kd_core.seeding import derive
from kd_core.teachers.crossfit import folds as deal_folds
from kd_core.teachers.made_rows import VIEWS, MadeRows, Making, known_rows, require_folds, table_view
from kd_core.training.rows import is_mapped

PIXELS = "pixels"
_AT_ONCE = 1024  # pictures that are mixed at once

_MIXED = Says(
    "mixed_rows",
    "note",
    "{made:,} rows were mixed of two training rows each ({times} times as many as training rows) and answered by the teachers of their "
    "folds; {dropped:,} more were left out because they read like a validation or test row.",
    "Only the taught students learn from them, from the teacher's part of the lesson alone. Every arm takes the same number of "
    "steps over the same training rows; a taught student sees as many mixed rows beside them.",
)


@dataclass(frozen=True)
class MixedRows(MadeRows):
    """Mixed rows, pictures among them. `taken`: what came from the second row where it can't be mixed."""

    made_as: ClassVar[str] = "linear"

    @functools.cached_property
    def digest(self) -> str:
        """Hash the rows (sha256, hex), pictures by their pixels."""
        pictures = [name for name in self.frame if isinstance(self.frame[name].dtype, pd.ArrowDtype)]
        told = [pd.util.hash_pandas_object(self.frame.drop(columns=pictures), index=False).to_numpy()]
        told += [picture_hashes(self.frame[name]) for name in pictures]
        parts = (*told, self.first, self.second, self.taken, self.fold)
        return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()

    def reader(self, viewed: Viewed, kind: str) -> View:
        """Return the view that reads them: of a table, or of pixels. Errors: SpecError `made_rows_view`."""
        return viewed.view if isinstance(viewed.view, PixelsView) else table_view(viewed, kind)

    def note(self) -> dict[str, str]:
        """Say how many there are."""
        told = _MIXED.problem(made=len(self.frame), times=self.times, dropped=self.dropped)
        return {"severity": told.severity, "code": told.code, "message": told.message, "hint": told.hint}


def make(dataset: Dataset, folds: int, seed: int, times: int) -> MixedRows:
    """Mix rows, `times` for every training row, each with another row of its fold that is drawn anew each time.

    The same rows, folds and seed give the same mixed rows, and fewer times give the first of them.
    Errors: DataError `too_few_for_folds`, `mixed_rows_on_disk`; SpecError `made_rows_view`, `made_rows_folds`.
    """
    require_folds(folds)
    types, views = _read(dataset)
    train = dataset.train
    fold_N = deal_folds(train.y, train.groups, folds, seed)
    source = dataset.rows[list(types)].iloc[train.row_ids]
    drawn = []
    for k in range(times):
        rng = np.random.default_rng(derive(seed, "mixed rows", k))
        second = _partners(fold_N, folds, rng)
        share, taken = rng.random(len(second)), rng.random((len(second), len(types)))
        first = np.flatnonzero(second >= 0)
        drawn.append((first, second[first], share[first], taken[first] >= share[first, None]))
    first, second, share, taken = (np.concatenate([one[i] for one in drawn]) for i in range(4))
    copies = np.repeat(np.arange(times), [len(one[0]) for one in drawn])
    frame = pd.DataFrame(
        {
            name: _mixed(source[name], column, first, second, share, taken[:, at])
            for at, (name, column) in enumerate(types.items())
        }
    )
    fresh = ~_known(frame, dataset, views)
    kept = np.flatnonzero(fresh)
    return MixedRows(
        frame.iloc[kept].reset_index(drop=True),
        first[kept],
        second[kept],
        taken[kept],
        fold_N[first[kept]],
        tuple(int((copies[kept] <= k).sum()) for k in range(times)),
        int((~fresh).sum()),
    )


LINEAR = Making(MixedRows.made_as, (*VIEWS, PIXELS), "numbers and pixels can be mixed, words can't", make)


def _read(dataset: Dataset) -> tuple[dict[str, ColumnType], dict[str, View]]:
    """Return the columns that can be read, with the views that read them; words of texts are none."""
    views: dict[str, View] = {}
    if TABLE in dataset.views.kinds:
        views[TABLE] = table_view(dataset.view(TABLE), TABLE)
    if PIXELS in dataset.views.kinds:
        viewed = dataset.view(PIXELS)
        if is_mapped(viewed.parts["train"]):
            raise DataError(
                "The {rows:,} training pictures are kept on the disk, and mixed ones are kept in memory beside them.",
                "Read the pictures smaller, or set made_rows to 0.",
                "mixed_rows_on_disk",
                rows=len(dataset.train),
            )
        assert viewed.view is not None
        views[PIXELS] = viewed.view
    return {name: column for view in views.values() for name, column in view.types.items()}, views


def _partners(fold_N: Array, folds: int, rng: np.random.Generator) -> Array:
    """Draw for each row another one of its fold; -1 where the fold holds no other. Shape: (N,) -> (N,)."""
    found = np.full(len(fold_N), -1, np.int64)
    for k in range(folds):
        rows = np.flatnonzero(fold_N == k)
        if len(rows) > 1:
            further = rng.integers(1, len(rows), size=len(rows))
            found[rows] = rows[(np.arange(len(rows)) + further) % len(rows)]
    return found


def _mixed(column: pd.Series, told: ColumnType, first: Array, second: Array, share: Array, taken: Array) -> Any:
    """Mix one column: `share` of the first row's value and the rest of the second's; one of the two where that can't be. Shape: -> (M,)."""
    picked = column.iloc[np.where(taken, second, first)].reset_index(drop=True)
    if told.kind == "picture":
        return _pictures(column, picked, first, second, share)
    if told.kind != "number":
        return picked
    values = column.to_numpy(np.float64, na_value=np.nan)
    mixed = share * values[first] + (1 - share) * values[second]
    held = values[np.isfinite(values)]
    if (held == np.round(held)).all():  # counts stay counts
        mixed = np.round(mixed)
    return pd.Series(np.where(np.isfinite(mixed), mixed, picked.to_numpy(np.float64, na_value=np.nan)))


def _pictures(column: pd.Series, picked: pd.Series, first: Array, second: Array, share: Array) -> pd.Series:
    """Mix pixels and round them to bytes; where one of the two rows has no picture, what was picked stays."""
    source, known = pixels_of(column), column.notna().to_numpy()
    mixed = pixels_of(picked).copy()
    both = np.flatnonzero(known[first] & known[second])
    for start in range(0, len(both), _AT_ONCE):
        at = both[start : start + _AT_ONCE]
        part = share[at, None, None, None].astype(np.float32)
        mixed[at] = np.rint(part * source[first[at]] + (1 - part) * source[second[at]])
    return column_of(mixed, picked.isna().to_numpy())


def _known(frame: pd.DataFrame, dataset: Dataset, views: dict[str, View]) -> Array:
    """Say which rows read like a validation or test row in every view. Shape: -> (M,) bool."""
    found = np.ones(len(frame), bool)
    for kind, view in views.items():
        if kind == TABLE:
            parts = dataset.view(kind).parts
            found &= known_rows(view.encode(frame), parts["validation"], parts["test"])
            continue
        rows = np.concatenate([dataset.validation.row_ids, dataset.test.row_ids])
        for name in picture_columns(view.types):
            found &= np.isin(picture_hashes(frame[name]), picture_hashes(dataset.rows[name].iloc[rows]))
    return found
