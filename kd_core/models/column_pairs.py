"""Which two features say something together that their curves do not: pairs of an additive model, found in what is left of the targets.

Legend: N rows, F features, C columns of targets, L encoded values, A and B bins of two features.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from kd_core.data.input_spec import InputSpec
from kd_core.models.piecewise_edges import column_edges, fit_edges, sampled
from kd_core.models.piecewise_front import CELLS, PAST_ALL, Index, Layout

Array = npt.NDArray[Any]
FIT_ROWS = 20_000
FIT_WORK = 2e10  # rows x encoded values squared
LEAST_ROWS = 2_000
MOST_FEATURES = 40  # those whose values move the targets most
MOST_TARGETS = 4  # columns of targets, those that vary most
BINS = 12  # of a feature, for looking
NEWTON = 4  # steps towards the curves of probabilities
BEYOND = 3.0  # deviations by which a pair has to tell more than chance; there are up to 780 pairs
SHRINK = 0.1  # of the mean weight of a table's cells, added to each
_RIDGE = 1e-3  # of a row
SWEEPS = 4  # until rows and columns of a table take no part any more
_SIDE = int(CELLS**0.5)


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
    pieces = [max(1, n - 1) for n in values]
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


def strongest(x: Array, gradient: Array, weight: Array, most: int) -> list[tuple[int, int]]:
    """Choose pairs one after the other, each by what the ones before leave; none that tells no more than chance would.

    A pair tells what a table of its bins, found in one half of the rows, explains in the other half, beyond what its rows and columns
    do alone (Lou et al. 2013, FAST; with tables in place of one cut each, and rows that did not choose them).
    Shape: x (N, F) without gaps, gradient and weight (N, C).
    """
    moving = [at for at in range(x.shape[1]) if (x[:, at] != x[0, at]).any()]
    bins = {at: _binned(x[:, at]) for at in moving}
    if len(moving) > MOST_FEATURES:
        reach = [_reach(bins[at], gradient, weight) for at in moving]
        moving = [moving[k] for k in sorted(np.argsort(reach, kind="stable")[-MOST_FEATURES:])]
    left, found = gradient.copy(), list[tuple[int, int]]()
    # what a pair tells hardly grows by what others take, so that only those at the top are asked again
    queue = [(-_tells(_Tables.of(bins[a], bins[b], left, weight)), a, b) for a, b in combinations(moving, 2)]
    heapq.heapify(queue)
    while len(found) < most and queue and queue[0][0] < 0:
        _, one, other = heapq.heappop(queue)
        tables = _Tables.of(bins[one], bins[other], left, weight)
        told = _tells(tables)
        if queue and -told > queue[0][0]:
            heapq.heappush(queue, (-told, one, other))
            continue
        if not told > 0:
            break
        found.append((one, other))
        left -= weight * _means(tables.total.sum(0), tables.mass.sum(0))[tables.at]
    return found


def _binned(column: Array) -> Array:
    values = np.unique(column)
    if len(values) > BINS:
        values = np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[:-1]))
    return np.searchsorted(values, column, "right") - 1


def _reach(bins: Array, gradient: Array, weight: Array) -> float:
    """Say how far a feature's bins move what is left: where it still matters alone, it may matter with others."""
    sides = zip(gradient.T, weight.T, strict=True)
    return float(sum((np.bincount(bins, g) ** 2 / (np.bincount(bins, w) + 1e-9)).sum() for g, w in sides))


@dataclass(frozen=True)
class _Tables:
    """A pair's tables for each half of the rows, what chance would make of a cell, and each row's cell.

    Shape: total and mass (2, A x B, C), chance (C,), at (N,).
    """

    shape: tuple[int, int]
    total: Array
    mass: Array
    chance: Array
    at: Array

    @classmethod
    def of(cls, first: Array, second: Array, left: Array, weight: Array) -> _Tables:
        shape = int(first.max()) + 1, int(second.max()) + 1
        size, at = shape[0] * shape[1], first * shape[1] + second
        halved = at + size * (np.arange(len(at)) % 2)
        total, mass = (
            np.stack([np.bincount(halved, v, 2 * size).reshape(2, size) for v in of.T], axis=2) for of in (left, weight)
        )
        return cls(shape, total, mass, (left * left).sum(0) / weight.sum(0), at)


def _means(total: Array, mass: Array) -> Array:
    """Return a table's means, drawn to 0 where few rows are. Shape: (A x B, C) each."""
    found: Array = total / (mass + SHRINK * mass.mean(axis=0) + 1e-12)
    return found


def _tells(tables: _Tables) -> float:
    """Return what a pair explains in rows that did not make its table; 0 where that is within chance."""
    gain = spread = 0.0
    for made, asked in ((0, 1), (1, 0)):
        mean = _means(tables.total[made], tables.mass[made]).reshape(*tables.shape, -1)
        for half in (made, asked):  # rows and columns alone are the curves' business, in either half
            w = tables.mass[half].reshape(mean.shape)
            for axis in (1, 0) * SWEEPS:
                mean = mean - (w * mean).sum(axis, keepdims=True) / np.maximum(w.sum(axis, keepdims=True), 1e-12)
        explained = (w * mean**2).sum((0, 1))
        gain += float(2 * (tables.total[asked].reshape(mean.shape) * mean).sum() - explained.sum())
        spread += float(4 * (tables.chance * explained).sum())
    return gain if gain > BEYOND * np.sqrt(spread) else 0.0
