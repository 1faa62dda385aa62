"""Where a number is cut: half of the edges by how many rows lie between them, half by what they tell about the target.

Legend: N rows, F features, C columns of targets.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import ndtri
from sklearn.tree import DecisionTreeRegressor
from torch import Tensor

from kd_core.data.input_spec import InputSpec
from kd_core.data.split import row_keys
from kd_core.models.piecewise_front import PAST_ALL, Layout

Array = npt.NDArray[Any]
FIT_ROWS = 100_000  # rows that edges are taken from; more move quantiles by less than 0.01 sd
FIT_NUMBERS = 200_000  # rows x columns of targets that a tree sees, and at least `LEAST_ROWS`: many classes take long
LEAST_ROWS = 5_000
LEAST_LEAF = 0.002  # share of the rows in a leaf
_STEEPEST = 1e30  # float32 has numbers closer to each other than one over its largest
_TAIL = 5e-4  # furthest tail share, as the table view's


def fit_edges(edges: int, inputs: InputSpec, x_NF: Array, targets_NC: Array) -> dict[str, Tensor]:
    """Find the edges of all numbers: what a network's `front` holds, by name. The same rows give the same bits.

    Shape: x (N, F) with gaps, targets (N, C).
    """
    layout, rows = Layout.of(inputs, edges), sampled(len(x_NF), FIT_ROWS)
    x, targets = np.asarray(x_NF[rows], np.float32), np.asarray(targets_NC[rows], np.float64)
    numbers = [_column(x[:, at], targets, n) for at, n in zip(layout.numbers, layout.pieces, strict=True)]
    plain = [_column(x[:, at], targets, 1) for at in layout.plain]
    flags = np.zeros(len(layout.holes)), np.ones(len(layout.holes))
    named = {
        "low": [*(c.low for c in (*numbers, *plain)), flags[0]],
        "scale": [*(c.scale for c in (*numbers, *plain)), flags[1]],
        "rise": [c.rise for c in numbers],
        "start": [c.start for c in numbers],
    }
    empty = np.zeros(0)
    return {
        f"front.{name}": torch.from_numpy(np.concatenate([empty, *of]).astype(np.float32)) for name, of in named.items()
    }


class _Cut(NamedTuple):
    """One column: where pieces begin, one over their width, how the normal quantile rises over them and where it starts."""

    low: Array
    scale: Array
    rise: Array
    start: Array


def sampled(num_rows: int, most: int) -> Array:
    """Choose rows by their hash, in their order."""
    if num_rows <= most:
        return np.arange(num_rows)
    return np.sort(np.argsort(row_keys(num_rows, 3), kind="stable")[:most])


def _column(x: Array, targets: Array, pieces: int) -> _Cut:
    known = ~np.isnan(x)
    edges = column_edges(x[known], targets[known], pieces + 1).astype(np.float64)
    quantiles = _quantiles(np.sort(x[known]), edges)
    lacking = pieces - max(0, len(edges) - 1)  # these rows hold fewer values than were told
    return _Cut(
        np.append(edges[:-1], np.full(lacking, PAST_ALL)),
        np.append(np.clip(1 / np.diff(edges), 0, _STEEPEST), np.ones(lacking)),
        np.append(np.diff(quantiles), np.zeros(lacking)),
        quantiles[:1] if len(quantiles) else np.zeros(1),
    )


def column_edges(x: Array, targets: Array, count: int) -> Array:
    """Choose the edges of one number, ascending and all different.

    Every value where there are at most `count`; else the ends, the splits of a small tree, and quantiles.
    Shape: x (N,) float32 without gaps, targets (N, C) -> (`count`,) float32, or fewer where there are fewer values.
    """
    values = np.unique(x)
    if len(values) <= count:
        return values
    ends, split = values[[0, -1]], _splits(x, targets, count // 2)
    left = count - len(np.union1d(ends, split))
    quantiles = np.quantile(x, np.linspace(0, 1, left + 2)[1:-1]).astype(np.float32)
    found = np.union1d(np.union1d(ends, split), quantiles)
    while len(found) < count:  # masses of equal values: values between the edges so far, spread evenly
        others = np.setdiff1d(values, found)
        more = np.linspace(0, len(others) - 1, count - len(found) + 2).round().astype(int)[1:-1]
        found = np.union1d(found, others[more])
    return found


def _splits(x: Array, targets: Array, count: int) -> Array:
    """Let a tree find where the targets change most. Shape: (N,), (N, C) -> at most `count` thresholds, float32."""
    rows = sampled(len(x), max(LEAST_ROWS, FIT_NUMBERS // targets.shape[1]))
    tree = DecisionTreeRegressor(
        max_leaf_nodes=count + 1, min_samples_leaf=max(1, int(LEAST_LEAF * len(rows))), random_state=0
    )
    told = tree.fit(x[rows, None], targets[rows]).tree_
    return np.unique(told.threshold[told.children_left >= 0].astype(np.float32))


def _quantiles(ordered: Array, edges: Array) -> Array:
    """Return the normal quantile of the middle rank of each edge. Shape: (N,), (E,) -> (E,) float64."""
    ranks = np.searchsorted(ordered, edges, "left") + np.searchsorted(ordered, edges, "right")
    found: Array = ndtri(np.clip(ranks / (2 * max(1, len(ordered))), _TAIL, 1 - _TAIL))
    return found
