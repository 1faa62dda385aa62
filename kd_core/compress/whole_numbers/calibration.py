"""Between which numbers the values inside a network lie, by what some rows make of them. Legend: B bins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx

from kd_core.compress.whole_numbers.network import Network
from kd_core.compress.whole_numbers.rounding import Range
from kd_core.data.onnx_file import open_session

Method = Literal["min_max", "entropy", "percentile"]
BINS = 2048
_LEVELS = 128  # of whole numbers, on each side of 0
_AT_ONCE = 64
_TRIED = 64  # thresholds that entropy compares


def ranges_of(
    network: Network, tensors: Sequence[str], x: npt.NDArray[Any], method: Method, kept: float = 0.9999
) -> dict[str, Range]:
    """Watch values of a network while it answers encoded rows. Shape: x (N, ...).

    `min_max`: all values; `percentile`: the share `kept` of them, the same share of each side left out; `entropy`: the threshold that
    keeps the most of what the values' distribution says (the smallest Kullback-Leibler divergence after rounding).
    Source: Migacz, 8-bit inference with TensorRT, 2017.
    """
    names = list(dict.fromkeys(tensors))
    lows, highs = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for name, values in _watched(network, names, x):
        lows[name] = min(lows[name], float(values.min(initial=0.0)))
        highs[name] = max(highs[name], float(values.max(initial=0.0)))
    if method == "min_max":
        return {name: Range(lows[name], highs[name]) for name in names}
    counts = {name: np.zeros(BINS, np.int64) for name in names}
    edges = {name: np.linspace(lows[name], max(highs[name], lows[name] + 1e-30), BINS + 1) for name in names}
    for name, values in _watched(network, names, x):
        counts[name] += np.histogram(values, edges[name])[0]
    cut = _entropy if method == "entropy" else lambda n, e: _percentile(n, e, kept)
    return {name: cut(counts[name], edges[name]) if highs[name] > lows[name] else Range(0.0, 0.0) for name in names}


def _watched(
    network: Network, names: Sequence[str], x: npt.NDArray[Any]
) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    model = onnx.ModelProto()
    model.CopyFrom(network.model)
    given, made = [n for n in names if n == "x"], [n for n in names if n != "x"]
    known = {one.name for one in model.graph.output}
    for name in made:
        if name not in known:
            model.graph.output.add().name = name
    session = open_session(model.SerializeToString())
    for at in range(0, len(x), _AT_ONCE):
        part = x[at : at + _AT_ONCE]
        for name in given:
            yield name, part.astype(np.float32)
        if made:
            yield from zip(made, session.run(made, {"x": part}), strict=True)


def _percentile(counts: npt.NDArray[np.int64], edges: npt.NDArray[np.float64], kept: float) -> Range:
    """Leave out the outermost values of each side; one that ends at 0 is none."""
    shares = np.concatenate([[0], counts.cumsum()]) / max(1, counts.sum())
    out = 1 - kept if edges[0] == 0 or edges[-1] == 0 else (1 - kept) / 2
    low = edges[max(0, int(np.searchsorted(shares, out, "right")) - 1)] if edges[0] < 0 else 0.0
    high = edges[min(BINS, int(np.searchsorted(shares, 1 - out, "left")))] if edges[-1] > 0 else 0.0
    return Range(float(min(low, 0.0)), float(max(high, 0.0)))


def _entropy(counts: npt.NDArray[np.int64], edges: npt.NDArray[np.float64]) -> Range:
    """Choose how far from 0 values are kept."""
    low, high = float(edges[0]), float(edges[-1])
    middles, largest = np.abs((edges[:-1] + edges[1:]) / 2), max(-low, high)
    # As wide as those that were counted: none is empty by itself.
    bins = max(_LEVELS, round(BINS * largest / (high - low)))
    sizes = np.histogram(middles, bins, (0, largest), weights=counts)[0]
    sizes[0] = sizes[1]  # what is exactly 0, behind a `Relu` half of all, is written as 0 by any threshold
    thresholds = np.unique(np.linspace(_LEVELS, bins, _TRIED).astype(int))
    losses = [_divergence(sizes, int(t)) for t in thresholds]
    best = thresholds[int(np.argmin(losses))] / bins * largest
    return Range(max(low, -best), min(high, best))


def _divergence(sizes: npt.NDArray[np.float64], kept: int) -> float:
    """Return how much is lost when the first bins are written in few levels, and what lies beyond is the last of them."""
    wanted = sizes[:kept].astype(np.float64).copy()
    level = np.arange(kept) * _LEVELS // kept
    filled = sizes[:kept] > 0
    sums = np.bincount(level, sizes[:kept], _LEVELS)
    places = np.bincount(level, filled, _LEVELS)
    found = np.where(filled, sums[level] / np.maximum(places[level], 1), 0.0)
    wanted[-1] += sizes[kept:].sum()
    p, q = wanted / max(1.0, wanted.sum()), found / max(1.0, found.sum())
    some = p > 0
    return float((p[some] * np.log(p[some] / np.maximum(q[some], 1e-9))).sum())
