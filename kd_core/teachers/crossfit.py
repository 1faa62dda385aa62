"""Parts of the training rows, so that each row can be labelled by a teacher that never saw it."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.data.labels.strata import rarest
from kd_core.errors import DataError
from kd_core.limits import FEW_CLASSES
from kd_core.seeding import derive

_QUANTILES = 10  # regression targets are stratified by tenths


def folds(y: Array, groups: Array | None, n: int, seed: int) -> Array:
    """Give each row a fold number; classes (or tenths of a target) and sizes are spread evenly.

    Rows of one group, and copies of a row, share a fold. The same rows and seed give the same folds.
    Shape: y (N,) or (N, T), groups (N,) or None -> (N,) int64 in 0..n-1, every fold non-empty.
    Errors: DataError with code `too_few_for_folds`.
    """
    _, unit_N = np.unique(groups, return_inverse=True) if groups is not None else (None, np.arange(len(y)))
    num_units = int(unit_N.max()) + 1 if len(y) else 0
    if num_units < n:
        raise DataError(
            "{n} folds need at least {n} {what}, the training part has {found}.",
            "Use fewer folds or more rows.",
            "too_few_for_folds",
            n=n,
            what="rows" if groups is None else "groups of rows that stay together",
            found=num_units,
        )
    stratum_N = _strata(y)
    rng = np.random.default_rng(derive(seed, "folds"))
    size_U = np.bincount(unit_N, minlength=num_units)
    stratum_U = _main_stratum(stratum_N, unit_N, num_units)
    # Deal like cards: by stratum, large groups first, ties in random order; the deal runs on over the strata.
    order = np.lexsort((rng.permutation(num_units), -size_U, stratum_U))
    fold_U = np.empty(num_units, dtype=np.int64)
    place = np.arange(num_units) % (2 * n)
    fold_U[order] = np.minimum(place, 2 * n - 1 - place)  # there and back, so that no fold gets all the largest
    return fold_U[unit_N]


def _strata(y: Array) -> Array:
    if (
        y.ndim > 1
    ):  # labels by the rarest of a row; of several targets the first one, rows where it is missing by themselves
        return rarest(y) if np.issubdtype(y.dtype, np.integer) else _of_first(y[:, 0])
    if np.issubdtype(y.dtype, np.integer):
        return np.asarray(np.unique(y, return_inverse=True)[1])
    edges = np.unique(np.quantile(y, np.linspace(0, 1, _QUANTILES + 1)[1:-1]))
    return np.searchsorted(edges, y)


def _of_first(y: Array) -> Array:
    known = ~np.isnan(y)
    found = np.zeros(len(y), np.int64)
    if known.any():
        few = len(np.unique(y[known])) <= FEW_CLASSES
        found[known] = 1 + _strata(y[known].astype(np.int64) if few else y[known])
    return found


def _main_stratum(stratum_N: Array, unit_N: Array, num_units: int) -> Array:
    """Most frequent stratum of each unit (the lowest on a tie)."""
    pair, count = np.unique(unit_N * (int(stratum_N.max()) + 1) + stratum_N, return_counts=True)
    unit, stratum = np.divmod(pair, int(stratum_N.max()) + 1)
    order = np.lexsort((-stratum, count, unit))
    last = np.append(unit[order][1:] != unit[order][:-1], True)
    main = np.empty(num_units, dtype=np.int64)
    main[unit[order][last]] = stratum[order][last]
    return main
