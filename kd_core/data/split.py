"""Train, validation and test rows: stratified, in whole groups, or by time; copies of a row stay together.

Rows are ordered by a hash of their position and the seed, so the split is the same on every platform and
in every version of numpy.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.targets import Target
from kd_core.data.types.base import TypedColumn
from kd_core.data.types.part_column import parts_of
from kd_core.errors import DataError
from kd_core.seeding import derive
from kd_core.task import task_of, usual

TRAIN, VALIDATION, TEST = 0, 1, 2
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio
Parts = npt.NDArray[np.int8]


def row_keys(num_rows: int, seed: int) -> npt.NDArray[np.uint64]:
    """Draw one hash per row position (splitmix64). Source: Steele, Lea, Flood, OOPSLA 2014."""
    x = np.arange(1, num_rows + 1, dtype=np.uint64) * _GOLDEN + np.uint64(derive(seed, "split"))
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    keys: npt.NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return keys


def stratified(
    stratum: npt.NDArray[np.int64],
    validation: float,
    test: float,
    seed: int,
    units: npt.NDArray[np.int64] | None = None,
) -> Parts:
    """Split so that every class has its share in every part, and at least one row where it has three.

    Units of several rows (copies) are dealt first and stay whole; the rows that stand alone then fill up each class's
    share in the order they have without units. So shares are as exact as without them, unless copies are the most of a class.
    Shape: (N,) class and unit of each row -> (N,) part, 0 train, 1 validation, 2 test.
    """
    num_rows = len(stratum)
    counts = np.bincount(stratum)
    num_test, num_validation = _cuts(counts, test), _cuts(counts, validation)
    parts = np.full(num_rows, TRAIN, np.int8)
    order = np.lexsort((row_keys(num_rows, seed), stratum))
    if units is not None:
        dealt = _dealt(units, stratum, validation, test, seed)
        parts = np.maximum(dealt, TRAIN)
        held = [np.bincount(stratum[dealt == part], minlength=len(counts)) for part in (VALIDATION, TEST)]
        num_validation, num_test = np.maximum(num_validation - held[0], 0), np.maximum(num_test - held[1], 0)
        order = order[dealt[order] < 0]
        counts = np.bincount(stratum[order], minlength=len(counts))
    starts = np.cumsum(counts) - counts
    rank = np.arange(len(order)) - np.repeat(starts, counts)
    cut_test, cut_validation = np.repeat(num_test, counts), np.repeat(num_test + num_validation, counts)
    parts[order] = np.where(rank < cut_test, TEST, np.where(rank < cut_validation, VALIDATION, TRAIN))
    return parts


def _dealt(
    units: npt.NDArray[np.int64], stratum: npt.NDArray[np.int64], validation: float, test: float, seed: int
) -> Parts:
    """Deal units of several rows to the parts, each size and class evenly; -1 for rows that stand alone.

    Along units of like size and class (of their first row) the parts follow multiples of the golden ratio, of which every
    stretch, however short, has each part's share as nearly as it can: no loop, no draw that leaves a part without large units.
    """
    _, first, codes, sizes = np.unique(units, return_index=True, return_inverse=True, return_counts=True)
    several = np.flatnonzero(sizes > 1)
    of = several[
        np.lexsort(
            (
                row_keys(len(sizes), seed)[several],
                stratum[first[several]],
                -np.floor(np.log2(sizes[several])).astype(np.int64),
            )
        )
    ]
    place = np.arange(len(of), dtype=np.uint64) * _GOLDEN + np.uint64(derive(seed, "units"))
    share = place / 2.0**64
    chosen = np.full(len(sizes), -1, np.int8)
    chosen[of] = np.where(share < test, TEST, np.where(share < test + validation, VALIDATION, TRAIN))
    return chosen[codes]


def _cuts(counts: npt.NDArray[np.int64], share: float) -> npt.NDArray[np.int64]:
    """Divide a share of all rows over the classes by largest remainder, at least one row where a class has three."""
    if not share:
        return np.zeros(len(counts), np.int64)
    exact = counts * share
    floor = np.floor(exact).astype(np.int64)
    left = round(float(exact.sum())) - int(floor.sum())
    floor[np.argsort(-(exact - floor), kind="stable")[: max(left, 0)]] += 1
    least = (counts >= 3).astype(np.int64)
    found: npt.NDArray[np.int64] = np.maximum(np.minimum(floor, np.maximum((counts - 1) // 2, 0)), least)
    return found


def grouped(
    groups: npt.NDArray[np.int64], stratum: npt.NDArray[np.int64], validation: float, test: float, seed: int
) -> Parts:
    """Split whole groups, largest first, each into the part that lacks its classes most.

    Shape: (N,) group and class of each row -> (N,) part.
    Errors: DataError with code `too_few_groups`.
    """
    _, codes = np.unique(groups, return_inverse=True)
    num_groups, num_classes = int(codes.max()) + 1, int(stratum.max()) + 1
    if num_groups < 3:
        raise DataError(
            "The group column has {n} {n:value|values}; a split in three parts needs at least 3.",
            "Choose another group column, or none.",
            "too_few_groups",
            n=num_groups,
        )
    table = np.bincount(codes * num_classes + stratum, minlength=num_groups * num_classes)
    table = table.reshape(num_groups, num_classes)
    sizes = table.sum(axis=1)
    order = np.lexsort((row_keys(num_groups, seed), -np.floor(np.log2(sizes)).astype(np.int64)))
    wanted = np.outer([1 - validation - test, validation, test], np.bincount(stratum, minlength=num_classes)) + 1e-9
    have = np.zeros((3, num_classes))
    chosen = np.empty(num_groups, np.int8)
    share = table / sizes[:, None]
    for group in order:
        add = table[group]
        # Rounded, so that a last-bit difference between platforms can't move a group.
        fill = np.round((((have + add) / wanted) * share[group]).sum(axis=1), 9)
        part = int(np.argmin(fill))
        chosen[group] = part
        have[part] += add
    for part in (TRAIN, VALIDATION, TEST):
        if not (chosen == part).any():  # few large groups: take the smallest of the part with most groups
            donor = int(np.argmax(np.bincount(chosen, minlength=3)))
            inside = np.flatnonzero(chosen == donor)
            chosen[inside[np.argmin(sizes[inside])]] = part
    return chosen[codes]


def by_time(time: pd.Series, validation: float, test: float, groups: npt.NDArray[np.int64] | None = None) -> Parts:
    """Split by time: the newest rows are the test part, the next newest validation; equal times stay together.

    With groups, a group counts as its newest row. Rows without a time count as the oldest.
    Errors: DataError with code `too_few_times`.
    """
    stamps = (
        np.nan_to_num(time.to_numpy(np.float64), nan=-np.inf)
        if time.dtype.kind == "f"
        else time.to_numpy().astype("datetime64[us]").astype(np.int64)
    )
    if groups is not None:
        _, codes = np.unique(groups, return_inverse=True)
        newest = np.full(int(codes.max()) + 1, stamps.min())
        np.maximum.at(newest, codes, stamps)
        stamps = newest[codes]
    values, counts = np.unique(stamps, return_counts=True)
    if len(values) < 3:
        raise DataError(
            "The time column has {n} different {n:value|values}; a split in three parts needs at least 3.",
            "Choose another time column, or none.",
            "too_few_times",
            n=len(values),
        )
    older = np.cumsum(counts) / counts.sum()  # share of rows up to and with each time
    cut_test = int(np.clip(np.argmin(np.abs(older - (1 - test))), 1, len(values) - 2))
    cut_train = int(np.clip(np.argmin(np.abs(older - (1 - test - validation))), 0, cut_test - 1))
    rank = np.searchsorted(values, stamps)
    return np.where(rank > cut_test, TEST, np.where(rank > cut_train, VALIDATION, TRAIN)).astype(np.int8)


def assign(
    target: Target,
    group: TypedColumn | None,
    time: TypedColumn | None,
    validation: float,
    test: float,
    seed: int,
    units: npt.NDArray[np.int64] | None = None,
    given: TypedColumn | None = None,
) -> Parts:
    """Split the rows of a target: as a column gives it, by time, in whole groups, or stratified.

    `units` joins copies, and the groups that share them; time order goes before copies, but not before groups, and parts
    that are given before everything.
    Shape: `units` (N,) or None -> (N,) part of each row, -1 where the target is missing, or a given part.
    Errors: DataError with code `too_few_groups`, `too_few_times`, `not_a_time` or `parts_lack`.
    """
    present = target.present
    parts = np.full(len(present), -1, np.int8)
    codes = None if group is None else group_codes(group)[present]
    if given is not None:
        parts[present] = _given(given, target, validation, seed, units if codes is None or units is not None else codes)
        return parts
    if time is not None:
        if time.values.dtype.kind not in "fM":
            raise DataError(
                "The time column {name} is read as {kind}, which has no order in time.",
                "Set its type to datetime or number, or choose another time column.",
                "not_a_time",
                name=time.name,
                kind=time.kind,
            )
        parts[present] = by_time(time.values[present], validation, test, codes)
        return parts
    stratum = (task_of(target.task) if target.task else usual("classes")).strata(target.values[present])
    held = None if units is None else units[present]
    if codes is not None:
        parts[present] = grouped(codes if held is None else held, stratum, validation, test, seed)
    else:
        parts[present] = stratified(stratum, validation, test, seed, held)
    return parts


def _given(
    column: TypedColumn, target: Target, validation: float, seed: int, units: npt.NDArray[np.int64] | None
) -> Parts:
    """Take parts as a column gives them; where it has no validation rows, some of training are chosen, in whole units."""
    present = target.present
    parts = parts_of(column.values)[present]
    if not {TRAIN, TEST} <= set(parts.tolist()):
        words = [str(v) for v in column.values.dropna().unique()[:5]]
        raise DataError(
            "The column {name} gives no rows for {lacks}: it says {words}.",
            "Write train, validation or test into each row, or choose another column.",
            "parts_lack",
            name=column.name,
            lacks=" and ".join(w for n, w in ((TRAIN, "train"), (TEST, "test")) if n not in parts),
            words=", ".join(words) or "nothing",
        )
    if VALIDATION not in parts:
        at = np.flatnonzero(parts == TRAIN)
        strata = (task_of(target.task) if target.task else usual("classes")).strata(target.values[present][at])
        held = None if units is None else units[present][at]
        parts[at] = stratified(strata, validation, 0.0, seed, held)
    return parts


def group_codes(group: TypedColumn) -> npt.NDArray[np.int64]:
    """Number the groups; a row without a group is a group of its own. Shape: (N,) int64."""
    values = group.values
    codes = values.cat.codes.to_numpy() if isinstance(values.dtype, pd.CategoricalDtype) else pd.factorize(values)[0]
    codes = codes.astype(np.int64)
    alone = codes < 0
    codes[alone] = codes.max(initial=0) + 1 + np.arange(int(alone.sum()))
    return codes
