"""Rows made of training rows, for a teacher to label: each is a mixture of a row and a near neighbour.

Both rows are of one fold, so that the fold's teacher, which saw neither, can say what the made row is. It has no true label.
Rows are made from training rows alone, and one that reads like a validation or test row is left out.

Source: MUNGE of Bucila et al. 2006, Model Compression.
Legend: N training rows, M made rows, C columns, F features.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array, Dataset
from kd_core.data.input_spec import COLUMNS, TABLE
from kd_core.data.split import row_keys
from kd_core.data.view import View, Viewed
from kd_core.data.views.table import TableView
from kd_core.errors import DataError, Says, SpecError
from kd_core.registry import view_title
from kd_core.seeding import derive
from kd_core.teachers.crossfit import folds as deal_folds
from kd_core.training.rows import is_mapped

SWAP = 0.5  # chance that a column's value comes from the neighbour
SPREAD = 4.0  # a swapped number lies around the neighbour's, by the distance of the two over this
POOL = 20_000  # rows of a fold among which neighbours are looked for; of more, those of the smallest hash
VIEWS = (TABLE, COLUMNS)  # ways of reading in which a row can be put together column by column
_AT_ONCE = 1024  # rows whose distances are held at once

_MADE = Says(
    "made_rows",
    "note",
    "{made:,} rows were made of training rows ({times} times as many) and labelled by the teachers of their folds; {dropped:,} more "
    "were left out because they read like a validation or test row.",
    "Only the taught students learn from them, from the teacher's part of the lesson alone. Every arm takes the same number of "
    "steps over the same training rows; a taught student sees as many made rows beside them.",
)


@dataclass(frozen=True)
class MadeRows:
    """Made rows in the order of `times`: the first `ends[k - 1]` of them are those of k times the training rows.

    `first`, `second`: the training rows (positions) that each was made of; `taken` (M, C) what came from the second; `fold` (M,)
    the fold of both; `frame` the typed columns. `made_as`: the name of their `Making`.
    """

    made_as: ClassVar[str] = ""

    frame: pd.DataFrame
    first: Array
    second: Array
    taken: Array
    fold: Array
    ends: tuple[int, ...]
    dropped: int
    _encoded: dict[str, Array] = field(default_factory=dict, repr=False)

    @property
    def times(self) -> int:
        """Return how many times the training rows were gone through."""
        return len(self.ends)

    def count(self, times: int) -> int:
        """Return how many of the rows belong to so many times the training rows."""
        return self.ends[times - 1] if times else 0

    @functools.cached_property
    def digest(self) -> str:
        """Hash the rows (sha256, hex)."""
        told = pd.util.hash_pandas_object(self.frame, index=False).to_numpy()
        parts = (told, self.first, self.second, self.taken, self.fold)
        return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()

    def of_fold(self, fold: int) -> Array:
        """Return the positions of the rows made in one fold."""
        return np.flatnonzero(self.fold == fold)

    def encoded(self, dataset: Dataset, kind: str) -> Array:
        """Read the rows as students do: averages of the target are those of the two rows, which never saw their own target.

        Shape: (M, F) float32. Errors: SpecError `made_rows_view`.
        """
        if kind not in self._encoded:
            viewed = dataset.view(kind)
            view, x, own = self.reader(viewed, kind), viewed.parts["train"], dict[str, Array]()
            for name, span in view.target_columns().items() if isinstance(view, TableView) else ():
                swapped = self.taken[:, list(self.frame).index(name), None]
                own[name] = np.where(swapped, x[self.second][:, span], x[self.first][:, span])
            self._encoded[kind] = view.encode(self.frame, own)
        return self._encoded[kind]

    def reader(self, viewed: Viewed, kind: str) -> View:
        """Return the view that reads them. Errors: SpecError `made_rows_view`."""
        return table_view(viewed, kind)

    def note(self) -> dict[str, str]:
        """Say how many there are."""
        told = _MADE.problem(made=len(self.frame), times=self.times, dropped=self.dropped)
        return {"severity": told.severity, "code": told.code, "message": told.message, "hint": told.hint}


@dataclass(frozen=True)
class Making:
    """A way of making rows of training rows: make(dataset, folds, seed, times).

    `name` tells kept answers apart, empty for the usual way; `views`: how the rows can be read, and `why` not in others.
    """

    name: str
    views: tuple[str, ...]
    why: str
    make: Callable[[Dataset, int, int, int], MadeRows]


def table_view(viewed: Viewed, kind: str) -> TableView:
    """Return a view that reads column by column. Errors: SpecError `made_rows_view`."""
    if kind.partition(":")[0] not in VIEWS or not isinstance(viewed.view, TableView):
        raise SpecError(
            "Rows can't be made for what reads {kind}: they are put together column by column.",
            "Set made_rows to 0, or choose a teacher and students that read table or columns.",
            "made_rows_view",
            kind=view_title(kind.partition(":")[0]),
        )
    return viewed.view


def with_made(viewed: Viewed, made: MadeRows, dataset: Dataset, times: int) -> Viewed:
    """Put the made rows after the training rows. Errors: DataError `made_rows_on_disk`; SpecError `made_rows_view`."""
    x = viewed.parts["train"]
    if is_mapped(x):
        raise DataError(
            "The {rows:,} training rows are kept on the disk, and made rows are kept in memory beside them.",
            "Set made_rows to 0, or take fewer columns.",
            "made_rows_on_disk",
            rows=len(x),
        )
    more = made.encoded(dataset, viewed.reading)[: made.count(times)]
    train = {**viewed.parts, "train": np.concatenate([x, more])}
    return Viewed(viewed.spec, train, viewed.view, names=viewed.names)


def require_folds(folds: int) -> None:
    """Refuse a teacher that saw all training rows. Errors: SpecError `made_rows_folds`."""
    if folds < 2:
        raise SpecError(
            "Rows can't be made with {folds} fold: its teacher saw all training rows.",
            "Set folds to 2 or more, or made_rows to 0.",
            "made_rows_folds",
            folds=folds,
        )


def make(dataset: Dataset, folds: int, seed: int, times: int) -> MadeRows:
    """Make rows, `times` for every training row, each with its next nearest neighbour of the same fold.

    The same rows, folds and seed give the same made rows, and fewer times give the first of them.
    Errors: DataError `too_few_for_folds`; SpecError `made_rows_view`, `made_rows_folds`.
    """
    require_folds(folds)
    viewed, train = dataset.view(TABLE), dataset.train
    view = table_view(viewed, TABLE)
    fold_N = deal_folds(train.y, train.groups, folds, seed)
    near = _neighbours(np.asarray(viewed.parts["train"]), fold_N, folds, times)
    source = dataset.rows[list(view.types)].iloc[train.row_ids]
    numbers = [name for name, column in view.types.items() if column.kind == "number"]
    pieces = []
    for k in range(times):
        rng = np.random.default_rng(derive(seed, "made rows", k))
        first = np.flatnonzero(near[k] >= 0)
        second, taken = near[k][first], rng.random((len(first), source.shape[1])) < SWAP
        pieces.append((_mixed(source, numbers, first, second, taken, rng), first, second, taken))
    frame = pd.concat([piece[0] for piece in pieces], ignore_index=True)
    first, second, taken = (np.concatenate([piece[i] for piece in pieces]) for i in (1, 2, 3))
    copies = np.repeat(np.arange(times), [len(piece[1]) for piece in pieces])
    fresh = ~known_rows(view.encode(frame), *(viewed.parts[split] for split in ("validation", "test")))
    kept = np.flatnonzero(fresh)
    ends = tuple(int((copies[kept] <= k).sum()) for k in range(times))
    return MadeRows(
        frame.iloc[kept].reset_index(drop=True),
        first[kept],
        second[kept],
        taken[kept],
        fold_N[first[kept]],
        ends,
        int((~fresh).sum()),
    )


NEIGHBOURS = Making(MadeRows.made_as, VIEWS, "they are put together column by column", make)


def _mixed(
    source: pd.DataFrame, numbers: list[str], first: Array, second: Array, taken: Array, rng: Any
) -> pd.DataFrame:
    """Put rows together: what is taken comes from the second row, a number around it. Shape: taken (M, C)."""
    found = {}
    for at, name in enumerate(source):
        column = source[name]
        mixed = column.iloc[np.where(taken[:, at], second, first)].reset_index(drop=True)
        if name in numbers:
            values = column.to_numpy(np.float64, na_value=np.nan)
            gap = np.abs(values[first] - values[second]) / SPREAD
            moved = values[second] + gap * rng.standard_normal(len(first))
            held = values[np.isfinite(values)]
            if (held == np.round(held)).all():  # counts stay counts
                moved = np.round(moved)
            use = taken[:, at] & np.isfinite(moved)
            mixed = pd.Series(np.where(use, moved, mixed.to_numpy(np.float64, na_value=np.nan)))
        found[name] = mixed
    return pd.DataFrame(found)


def _neighbours(x: Array, fold_N: Array, folds: int, times: int) -> Array:
    """Find the nearest rows of the same fold, nearest first; -1 where a fold holds no further row. Shape: (N, F) -> (times, N)."""
    found = np.full((times, len(x)), -1, np.int64)
    keys = row_keys(len(x), 5)
    for k in range(folds):
        rows = np.flatnonzero(fold_N == k)
        pool = rows if len(rows) <= POOL else rows[np.sort(np.argsort(keys[rows], kind="stable")[:POOL])]
        for some, distance in _distances(x, rows, pool):
            distance[some[:, None] == pool] = np.inf
            most = min(times, len(pool) - 1)
            if most < 1:
                continue
            near = (
                np.argsort(distance, axis=1, kind="stable")[:, :most]
                if len(pool) <= 2 * most
                else _smallest(distance, most)
            )
            found[:most, some] = pool[near].T
    return found


def _smallest(distance: Array, most: int) -> Array:
    near = np.argpartition(distance, most - 1, axis=1)[:, :most]
    order = np.argsort(np.take_along_axis(distance, near, axis=1), axis=1, kind="stable")
    return np.take_along_axis(near, order, axis=1)


def _distances(x: Array, rows: Array, pool: Array) -> Iterator[tuple[Array, Array]]:
    """Yield some rows at a time with their squared distances to the pool."""
    others = x[pool]
    length = np.einsum("pf,pf->p", others, others)
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        yield some, length - 2 * (x[some] @ others.T)  # less the row's own length, which orders nothing


def known_rows(x: Array, *others: Array) -> Array:
    """Say which rows read exactly like one of the others. Shape: (M, F) -> (M,) bool."""

    def whole(rows: Array) -> Array:
        held = np.ascontiguousarray(np.asarray(rows, np.float32) + np.float32(0))  # -0 is 0
        return held.view(np.dtype((np.void, held.dtype.itemsize * held.shape[1])))[:, 0]

    return np.isin(whole(x), np.concatenate([whole(rows) for rows in others]))
