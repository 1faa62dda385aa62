"""Parts of the training rows, so that each row can be labelled by a teacher that never saw it."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array, Dataset
from kd_core.data.encoders import Encoder
from kd_core.errors import DataError
from kd_core.seeding import derive
from kd_core.task import task_of

_QUANTILES = 10  # regression targets are stratified by tenths


def folds(y: Array, groups: Array | None, n: int, seed: int) -> Array:
    """Give each row a fold number; classes (or tenths of a target) and sizes are spread evenly.

    Rows of one group, and copies of a row, share a fold. The same rows and seed give the same folds.
    Shape: y (N,), groups (N,) or None -> (N,) int64 in 0..n-1, every fold non-empty.
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


def encoded_without(dataset: Dataset, held_N: Array) -> tuple[Array, Array, Array]:
    """Encode the other training rows, the validation rows and the held-out rows without the held-out rows' targets.

    A category encoded by the target's average carries the targets of all training rows, so those columns are
    encoded anew from the other rows alone (and stand last); all other columns never saw a target.
    Shape: held (N,) bool over the training rows -> features of (N - H, G), (V, G) and (H, G).
    """
    train, validation = dataset.train, dataset.validation
    spans = dataset.encoder.target_columns() if isinstance(dataset.encoder, Encoder) else {}
    rest_N = ~held_N
    if not spans:
        return train.x[rest_N], validation.x, train.x[held_N]
    y, task = train.y[rest_N], dataset.task
    if task_of(
        task
    ).has_classes:  # a rare class may lie in the held-out rows altogether; two of three left are a yes or no
        left, y = np.unique(y, return_inverse=True)
        task = task_of(task).settled(len(left))
    fresh = Encoder({name: dataset.encoder.types[name] for name in spans}, task, dataset.encoder.seed)
    frame = dataset.rows[list(spans)]
    groups = None if train.groups is None else train.groups[rest_N]
    made = fresh.fit_transform(frame.iloc[train.row_ids[rest_N]], y, groups)
    old = [at for span in spans.values() for at in span]

    def joined(x: Array, new: Array) -> Array:
        return np.concatenate([np.delete(x, old, axis=1), new], axis=1)

    return (
        joined(train.x[rest_N], made),
        joined(validation.x, fresh.transform(frame.iloc[validation.row_ids])),
        joined(train.x[held_N], fresh.transform(frame.iloc[train.row_ids[held_N]])),
    )


def _strata(y: Array) -> Array:
    if np.issubdtype(y.dtype, np.integer):
        return np.asarray(np.unique(y, return_inverse=True)[1])
    edges = np.unique(np.quantile(y, np.linspace(0, 1, _QUANTILES + 1)[1:-1]))
    return np.searchsorted(edges, y)


def _main_stratum(stratum_N: Array, unit_N: Array, num_units: int) -> Array:
    """Most frequent stratum of each unit (the lowest on a tie)."""
    pair, count = np.unique(unit_N * (int(stratum_N.max()) + 1) + stratum_N, return_counts=True)
    unit, stratum = np.divmod(pair, int(stratum_N.max()) + 1)
    order = np.lexsort((-stratum, count, unit))
    last = np.append(unit[order][1:] != unit[order][:-1], True)
    main = np.empty(num_units, dtype=np.int64)
    main[unit[order][last]] = stratum[order][last]
    return main
