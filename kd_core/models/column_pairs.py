"""Which two features say something together that their curves do not: pairs of an additive model, found in what is left of the targets.

Legend: N rows, F features looked at, C columns of targets, L encoded values, T bins of all features, A and B of one.
"""

from __future__ import annotations

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
BEYOND = 4.0  # deviations by which a pair has to tell more than chance; there are up to 780 pairs
_RIDGE = 1e-3  # of a row
_SWEEPS = 5  # until rows and columns of a table take no part any more
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


@dataclass(frozen=True)
class _Binned:
    """Features by bins: which of all bins a row is in, where each feature's begin, and rows as ones at their bins (N, T)."""

    codes: Array
    starts: Array
    ones: Array

    @classmethod
    def of(cls, x: Array) -> _Binned:
        codes, starts = [], [0]
        for column in x.T:
            values = np.unique(column)
            if len(values) > BINS:
                values = np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[:-1]))
            codes.append(starts[-1] + np.searchsorted(values, column, "right") - 1)
            starts.append(starts[-1] + len(values))
        where = np.stack(codes, axis=1)
        ones = np.zeros((len(x), starts[-1]), np.float32)
        ones[np.arange(len(x))[:, None], where] = 1
        return cls(where, np.array(starts), ones)

    def span(self, feature: int) -> slice:
        return slice(self.starts[feature], self.starts[feature + 1])

    def tables(self, values: Array) -> Array:
        """Add values up by the bins of every two features. Shape: (N,) -> (T, T)."""
        found: Array = self.ones.T @ (self.ones * values.astype(np.float32)[:, None])
        return found.astype(np.float64)


def strongest(x: Array, gradient: Array, weight: Array, most: int) -> list[tuple[int, int]]:
    """Choose pairs one after the other, each by what the ones before leave; none that tells no more than chance would.

    A pair tells what a table of its bins explains beyond a table's own rows and columns (Lou et al. 2013, FAST; with tables in place of
    one cut each). Shape: x (N, F) without gaps, gradient and weight (N, C).
    """
    moving = [at for at in range(x.shape[1]) if (x[:, at] != x[0, at]).any()]
    binned = _Binned.of(x[:, moving])
    if len(moving) > MOST_FEATURES:
        told = [_reach(binned.codes[:, k], gradient, weight) for k in range(len(moving))]
        moving = [moving[k] for k in sorted(np.argsort(told, kind="stable")[-MOST_FEATURES:])]
        binned = _Binned.of(x[:, moving])
    weights = [binned.tables(w) for w in weight.T]
    left, found = gradient.copy(), []
    pairs = list(combinations(range(len(moving)), 2))
    while len(found) < most and pairs:
        noise = [float((g * g).sum() / w.sum()) for g, w in zip(left.T, weight.T, strict=True)]
        sums = [binned.tables(g) for g in left.T]
        told = [_tells(binned, pair, sums, weights, noise) for pair in pairs]
        best = int(np.argmax(told))
        if not told[best] > 0:
            break
        one, other = pair = pairs.pop(best)
        found.append((moving[one], moving[other]))
        for c, (total, mass) in enumerate(zip(sums, weights, strict=True)):
            spans = binned.span(one), binned.span(other)
            mean = total[spans] / (mass[spans] + 1e-9 + mass[spans].mean() * 0.05)
            at = binned.codes[:, one] - spans[0].start, binned.codes[:, other] - spans[1].start
            left[:, c] -= weight[:, c] * mean[at]
    return found


def _reach(codes: Array, gradient: Array, weight: Array) -> float:
    own = codes - codes.min()
    return float(
        sum((np.bincount(own, g) ** 2 / (np.bincount(own, w) + 1e-9)).sum() for g, w in zip(gradient.T, weight.T, strict=True))
    )


def _tells(
    binned: _Binned, pair: tuple[int, int], sums: list[Array], weights: list[Array], noise: list[float]
) -> float:
    """Return what a pair explains, less what chance would; below 0 where that is within chance."""
    spans = binned.span(pair[0]), binned.span(pair[1])
    gain = spread = 0.0
    for total, mass, chance in zip(sums, weights, noise, strict=True):
        w, there = mass[spans], mass[spans] > 0
        mean = np.where(there, total[spans] / np.where(there, w, 1), 0)
        for _ in range(_SWEEPS):
            mean = mean - (w * mean).sum(1, keepdims=True) / np.maximum(w.sum(1, keepdims=True), 1e-12) * there
            mean = mean - (w * mean).sum(0, keepdims=True) / np.maximum(w.sum(0, keepdims=True), 1e-12) * there
        free = max(0, int(there.sum() - there.any(1).sum() - there.any(0).sum() + 1))
        gain += float((w * mean**2).sum()) - chance * free
        spread += 2 * free * chance**2
    return gain if gain > BEYOND * np.sqrt(spread) and spread else min(gain, 0.0) - 1e-12
