"""Rows made up from what is known of each column by itself: its type, its range and a histogram. No row of the data is among them.

Columns are drawn independently, so that nothing of how they go together is known but what the teacher answers.
Legend: N training rows, M made-up rows, C columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array, Dataset
from kd_core.data.input_spec import TABLE
from kd_core.errors import Says, SpecError
from kd_core.seeding import derive
from kd_core.teachers.made_rows import MadeRows, table_view

BINS = 32  # of a histogram, each with as many rows
BINNED = ("number", "datetime")
DRAWN = ("category", "boolean")

_MADE_UP = Says(
    "made_up_rows",
    "note",
    "{made:,} rows were made up from the columns' types, ranges and histograms, each column by itself, and answered by the teachers of the "
    "folds; {held:,} of them choose the epoch.",
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


def make(dataset: Dataset, folds: int, seed: int, rows: int, held: int) -> MadeUpRows:
    """Make `rows` rows to learn from and `held` to choose by, dealt to the teachers of the folds in turn.

    The same histograms, numbers and seed give the same rows. Errors: SpecError `made_rows_view`, `made_up_columns` for columns of texts.
    """
    types = table_view(dataset.view(TABLE), TABLE).types
    if other := [name for name, column in types.items() if column.kind not in (*BINNED, *DRAWN)]:
        raise SpecError(
            "Rows can't be made up for {names}: a histogram says nothing of what stands in a text.",
            "Leave these columns out (drop), or choose another mode.",
            "made_up_columns",
            names=", ".join(other),
        )
    rng, total = np.random.default_rng(derive(seed, "made up")), rows + held
    source = dataset.rows[list(types)].iloc[dataset.train.row_ids]
    frame = pd.DataFrame({name: _drawn(source[name], types[name].kind, total, rng) for name in types})
    nothing = np.zeros(total, np.int64)
    taken = np.zeros((total, len(types)), bool)
    return MadeUpRows(frame, nothing, nothing, taken, np.arange(total) % folds, (total,), 0, held=held)


def _drawn(column: pd.Series, kind: str, rows: int, rng: np.random.Generator) -> Any:
    """Draw values of one column: of labels by their shares, of numbers and dates evenly within a bin; empty cells as often as there are."""
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
