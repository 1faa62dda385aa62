"""Which new rows are learned from, chosen by, or kept apart: no row that is like an old one comes to stand on another side than that.

Legend: M new rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kd_core.data.dataset import SPLITS, Array, Dataset
from kd_core.data.split import TEST, TRAIN, VALIDATION, row_keys
from kd_core.data.types.row_hash import row_hashes
from kd_core.errors import DataError, Problem, Says
from kd_core.runs.continuing.new_rows import NewRows

OUT = -1  # in no part
_TIED = Says(
    "new_rows_known",
    "note",
    "{count:,} new rows have the features or the group of rows of the run; they stay on the side of the split where those are.",
)
_LEFT_OUT = Says(
    "new_rows_left_out",
    "warning",
    "{count:,} new rows are left out: they are like rows of the run on one side of the split, and their group is on another.",
)


@dataclass(frozen=True)
class Dealt:
    """Shape: `parts` (M,) 0 train, 1 validation, 2 kept apart, -1 left out; `units` (M,) rows that stay together, None where each stands alone."""

    parts: Array
    units: Array | None
    problems: tuple[Problem, ...]


def deal(new: NewRows, old: Dataset, held_out: float) -> Dealt:
    """Deal new rows: the last ones in time are kept apart where the run was split by time, else whole units drawn by the split's seed.

    Errors: DataError `few_new_rows` where nothing is left to learn from or to measure by.
    """
    units = _units(new, old)
    tied = _tied(new, old)
    first = np.unique(units, return_index=True)[1]
    place = _turns(new, old, units, len(first))
    test = round(held_out * len(first))
    validation = round(old.spec.validation_share * len(first))
    drawn = np.full(len(first), TRAIN, np.int8)
    drawn[place[:test]] = TEST
    drawn[place[test : test + validation]] = VALIDATION
    for part in (TRAIN, VALIDATION, TEST):  # the last one counts: what is like a test row is learned from least of all
        drawn[np.unique(units[tied == part])] = part
    parts = drawn[units]
    against = (tied != OUT) & (tied != parts)
    parts = np.where(against, OUT, parts).astype(np.int8)
    said = [_TIED.problem(count=count)] if (count := int(((tied != OUT) & ~against).sum())) else []
    said += [_LEFT_OUT.problem(count=count)] if (count := int(against.sum())) else []
    if not (parts == TRAIN).any() or not (parts == TEST).any():
        raise DataError(
            "Of {rows:,} new rows {train:,} would be learned from and {test:,} kept apart: the others are like rows of the run.",
            "Give rows that the run does not have yet.",
            "few_new_rows",
            rows=len(new),
            train=int((parts == TRAIN).sum()),
            test=int((parts == TEST).sum()),
        )
    alone = len(first) == len(new) and old.train.groups is None
    return Dealt(parts, None if alone else units, tuple(said))


def _units(new: NewRows, old: Dataset) -> Array:
    """Number the rows that stay together, from 0: those of a group, else those with the same features. Shape: (M,) int64."""
    keys = pd.Series(_hashes(new.frame, old).astype(str))
    if (group := old.spec.group) is not None and group in new.frame:
        keys = new.frame[group].astype("object").map(lambda v: f"group {v}", na_action="ignore").fillna(keys)
    elif not _keeps_copies(old):
        keys = pd.Series(np.arange(len(new)))
    return np.unique(keys.to_numpy().astype(str), return_inverse=True)[1]


def _turns(new: NewRows, old: Dataset, units: Array, count: int) -> Array:
    """Order the units: the newest first where the run was split by time, else by a draw. Shape: (units,)."""
    keys = row_keys(count, old.spec.split_seed + 1)
    if (time := old.spec.time) is None or time not in new.frame:
        return np.argsort(keys, kind="stable")
    when = new.frame[time].to_numpy()
    ages = when.astype("datetime64[us]").astype(np.int64) if when.dtype.kind == "M" else when.astype(np.float64)
    newest = np.full(count, -np.inf)
    np.maximum.at(newest, units, np.where(np.isnan(ages.astype(np.float64)), -np.inf, ages))
    return np.lexsort((keys, -newest))


def _tied(new: NewRows, old: Dataset) -> Array:
    """Say in which part a row is known already: by its features, else by its group; -1 for one that is new. Shape: (M,) int8."""
    found = np.full(len(new), OUT, np.int8)
    group = old.spec.group
    if group is not None and group in new.frame:
        theirs = new.frame[group].astype("object").map(str).to_numpy()
        for part, split in enumerate(SPLITS):
            known = old.rows[group].iloc[old.parts[split].row_ids].dropna().astype("object").map(str)
            found[np.isin(theirs, known.unique()) & new.frame[group].notna().to_numpy(bool)] = part
    if _keeps_copies(old):
        own = _hashes(new.frame, old)
        for part, split in enumerate(SPLITS):
            found[np.isin(own, _hashes(old.rows.iloc[old.parts[split].row_ids], old))] = part
    return found


def _keeps_copies(old: Dataset) -> bool:
    """Say whether the run keeps copies on one side; not where so few different rows can exist that they are to be expected, or as asked."""
    if old.spec.copies == "apart":
        return False
    parts = [_hashes(old.rows.iloc[old.parts[split].row_ids], old) for split in SPLITS]
    return not len(np.intersect1d(parts[0], np.concatenate(parts[1:])))


def _hashes(rows: pd.DataFrame, old: Dataset) -> Array:
    return row_hashes([rows[name] for name in old.columns])
