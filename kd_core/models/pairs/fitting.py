"""The edges of an additive model and the tables of its pairs, from rows and a lesson.

Legend: N rows, F features, C columns of targets, L encoded values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from kd_core.data.input_spec import InputSpec
from kd_core.models.pairs.chosen import strongest
from kd_core.models.piecewise_edges import column_edges, fit_edges, sampled
from kd_core.models.piecewise_front import CELLS, PAST_ALL, Index, Layout

Array = npt.NDArray[Any]
FIT_ROWS = 20_000
FIT_WORK = 2e10  # rows x encoded values squared
LEAST_ROWS = 2_000
MOST_TARGETS = 4  # columns of targets, those that vary most
NEWTON = 4  # steps towards the curves of probabilities
_RIDGE = 1e-3  # of a row
_SIDE = int(CELLS**0.5)
MOST_PIECES = 24  # of one side, an hour each: finer tables of few rows a cell are neither better nor easier to read


def fit_curves(setting: tuple[int, int], inputs: InputSpec, x_NF: Array, targets_NC: Array) -> dict[str, Tensor]:
    """Find the edges of all numbers, and pairs where they are asked for: what an additive model's `front` holds, by name.

    `setting`: edges and pairs. The same rows give the same bits. Shape: x (N, F) with gaps, targets (N, C).
    """
    edges, pairs = setting
    found = fit_edges(edges, inputs, x_NF, targets_NC)
    layout = Layout.of(inputs, edges, pairs)
    if not layout.products:
        return found
    rows = sampled(len(x_NF), max(LEAST_ROWS, min(FIT_ROWS, int(FIT_WORK / (layout.alone + 1) ** 2))))
    x, targets = np.asarray(x_NF[rows], np.float32), np.asarray(targets_NC[rows], np.float64)
    index = Index(layout, inputs.width)
    encoded = index.encode(torch.from_numpy(x), found["front.low"], found["front.scale"]).double().numpy()
    told = targets[:, np.sort(np.argsort(-targets.var(axis=0), kind="stable")[:MOST_TARGETS])]
    known = np.nan_to_num(x)
    chosen = strongest(known, *left_over(encoded, told), pairs)
    source = np.zeros((2, layout.products), np.int64)
    low, scale = np.full((2, layout.products), PAST_ALL), np.ones((2, layout.products))
    for at, pair in enumerate(chosen):
        cells = _cells([_values(x[:, feature]) for feature in pair])
        cuts = []
        for feature, pieces in zip(pair, cells, strict=True):
            there = ~np.isnan(x[:, feature])
            cuts.append(column_edges(x[there, feature], targets[there], pieces + 1).astype(np.float64))
        grid = np.meshgrid(*(np.arange(len(cut) - 1) for cut in cuts), indexing="ij")
        for side, (feature, cut, where) in enumerate(zip(pair, cuts, grid, strict=True)):
            span = slice(at * CELLS, at * CELLS + where.size)
            source[side, span] = feature
            low[side, span] = cut[:-1][where.ravel()]
            scale[side, span] = np.clip(1 / np.diff(cut), 0, 1e30)[where.ravel()]
    return found | {
        "front.pair_source": torch.from_numpy(source.ravel()),
        "front.pair_low": torch.from_numpy(low.ravel().astype(np.float32)),
        "front.pair_scale": torch.from_numpy(scale.ravel().astype(np.float32)),
    }


def _values(x: Array) -> int:
    return len(np.unique(x[~np.isnan(x)]))


def _cells(values: list[int]) -> list[int]:
    """Share `CELLS` products between two features: as many pieces each, but for one that has fewer values."""
    pieces = [min(MOST_PIECES, max(1, n - 1)) for n in values]
    if min(pieces) <= _SIDE:
        few = min(pieces)
        return [min(n, CELLS // few) if n != few else few for n in pieces]
    return [_SIDE, _SIDE]


def left_over(encoded: Array, targets: Array) -> tuple[Array, Array]:
    """Fit the curves alone by least squares, or by logistic regression where the targets are probabilities; return what is left.

    Shape: encoded (N, L), targets (N, C) -> the gradient and its weight, (N, C) each.
    """
    x = np.hstack([encoded, np.ones((len(encoded), 1))])
    ridge = _RIDGE * len(x) * np.eye(x.shape[1])
    ridge[-1, -1] = 0
    if targets.min() < 0 or targets.max() > 1:
        weights = np.linalg.solve(x.T @ x + ridge, x.T @ targets)
        return targets - x @ weights, np.ones_like(targets)
    gradients, curvatures = [], []
    for told in targets.T:
        mean = np.clip(told.mean(), 1e-3, 1 - 1e-3)
        z = np.full(len(x), np.log(mean / (1 - mean)))
        weight = np.zeros(x.shape[1])
        weight[-1] = z[0]
        for _ in range(NEWTON):
            p = 1 / (1 + np.exp(-z))
            h = np.maximum(p * (1 - p), 1e-4)
            step = np.linalg.solve((x * h[:, None]).T @ x + ridge, x.T @ (told - p) - ridge @ weight)
            weight = weight + step
            z = np.clip(x @ weight, -15, 15)
        p = 1 / (1 + np.exp(-z))
        gradients.append(told - p)
        curvatures.append(np.maximum(p * (1 - p), 1e-4))
    return np.stack(gradients, axis=1), np.stack(curvatures, axis=1)
