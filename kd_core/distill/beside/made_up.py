"""Rows made up from what is known of each column by itself: its type, range and histogram, of texts their words' counts and their lengths.

Columns are drawn independently, so that nothing of how they go together is known but what the teacher answers.
No row of the data is read whole. Legend: N training rows, M made-up rows, C columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array, Dataset
from kd_core.data.input_spec import TABLE
from kd_core.data.view import View, Viewed
from kd_core.distill.beside import made_texts
from kd_core.errors import Says, SpecError
from kd_core.seeding import derive
from kd_core.teachers.made_rows import MadeRows, table_view

BINS = 32  # of a histogram, each with as many rows
BINNED = ("number", "datetime")
DRAWN = ("category", "boolean")
TEXT = "text"

_MADE_UP = Says(
    "made_up_rows",
    "note",
    "{made:,} rows were made up from the columns' types, ranges and histograms (of texts: words' counts and lengths), each column by itself, "
    "and answered by the teachers of the folds; {held:,} of them choose the epoch.",
    "Taught students see no training row. Their baselines do.",
)


@dataclass(frozen=True)
class MadeUpRows(MadeRows):
    """Made-up rows; the last `held` of them are for choosing. They come from no training rows: `first`, `second` and `taken` are zeros."""

    held: int = 0

    def note(self) -> dict[str, str]:
        """Say how many there are."""
        told = _MADE_UP.problem(made=len(self.frame), held=self.held)
        return {"severity": told.severity, "code": told.code, "message": told.message, "hint": told.hint}

    def reader(self, viewed: Viewed, kind: str) -> View:
        """Return the view, unless it reads columns that were not made up (pictures). Errors: SpecError `made_up_columns`."""
        if viewed.view is None:
            return table_view(viewed, kind)
        if missing := [name for name in viewed.view.types if name not in self.frame]:
            raise _unmade(missing)
        return viewed.view

    def encoded(self, dataset: Dataset, kind: str) -> Array:
        """Read the rows as any row from outside. Shape: (M, *the view's). Errors: SpecError `made_up_columns`."""
        if kind not in self._encoded:
            self._encoded[kind] = self.reader(dataset.view(kind), kind).encode(self.frame)
        return self._encoded[kind]


def make(dataset: Dataset, folds: int, seed: int, rows: int, held: int) -> MadeUpRows:
    """Make `rows` rows to learn from and `held` to choose by, dealt to the teachers of the folds in turn.

    The same histograms, words, numbers and seed give the same rows. Errors: SpecError `made_rows_view`, `made_up_columns`.
    """
    kinds = _kinds(dataset)
    if other := [name for name, kind in kinds.items() if kind not in (*BINNED, *DRAWN, TEXT)]:
        raise _unmade(other)
    rng, total = np.random.default_rng(derive(seed, "made up")), rows + held
    source = dataset.rows[list(kinds)].iloc[dataset.train.row_ids]
    frame = pd.DataFrame({name: _drawn(source[name], kind, total, rng) for name, kind in kinds.items()})
    nothing = np.zeros(total, np.int64)
    taken = np.zeros((total, len(kinds)), bool)
    return MadeUpRows(frame, nothing, nothing, taken, np.arange(total) % folds, (total,), 0, held=held)


def _kinds(dataset: Dataset) -> dict[str, str]:
    """Name the kind of every column that is made up; where all are texts no table has to be encoded to know it."""
    if dataset.texts and set(dataset.columns) <= set(dataset.texts):
        return dict.fromkeys(dataset.texts, TEXT)
    return {name: column.kind for name, column in table_view(dataset.view(TABLE), TABLE).types.items()}


def _unmade(names: list[str]) -> SpecError:
    return SpecError(
        "Rows can't be made up for {names}: neither a histogram nor counts of words say what stands there.",
        "Leave these columns out (drop), or choose another mode.",
        "made_up_columns",
        names=", ".join(names),
    )


def _drawn(column: pd.Series, kind: str, rows: int, rng: np.random.Generator) -> Any:
    """Draw values of one column: of labels by their shares, of numbers and dates evenly within a bin, of texts word by word; empty
    cells as often as there are.
    """
    if kind == TEXT:
        return made_texts.drawn(column, rows, rng)
    picked = column.iloc[rng.integers(len(column), size=rows)].reset_index(
        drop=True
    )  # by its shares, empty ones included
    if kind not in BINNED:
        return picked
    dates = kind == "datetime"
    known = column[column.notna()]
    if not len(known):
        return picked
    values = known.to_numpy("datetime64[ns]").astype(np.int64) if dates else known.to_numpy(np.float64)
    drawn = from_histogram(values.astype(np.float64), rows, rng)
    if dates or (values == np.round(values)).all():  # counts stay counts
        drawn = np.round(drawn)
    made = pd.Series(pd.to_datetime(drawn.astype(np.int64)).astype(column.dtype)) if dates else pd.Series(drawn)
    return made.where(picked.notna(), other=pd.NaT if dates else np.nan)


def from_histogram(values: Array, rows: int, rng: np.random.Generator) -> Array:
    """Draw from a histogram of `BINS` bins that hold as many values each, evenly within a bin. Shape: (N,) -> (rows,)."""
    edges = np.quantile(values, np.linspace(0, 1, BINS + 1))
    at = rng.integers(BINS, size=rows)
    return np.asarray(edges[at] + rng.random(rows) * (edges[at + 1] - edges[at]))
