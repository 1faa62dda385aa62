"""Which two features say something together that their curves do not.

Legend: N rows, F features, C columns of targets, A and B bins of two features.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
MOST_FEATURES = 40  # those whose values move the targets most
BINS = 12  # of a feature, for looking
BEYOND = 3.0  # deviations by which a pair has to tell more than chance; there are up to 780 pairs
SHRINK = 0.1  # of the mean weight of a table's cells, added to each
SWEEPS = 4  # until rows and columns of a table take no part any more


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
