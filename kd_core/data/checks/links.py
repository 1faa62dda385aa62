"""How well one column alone predicts the target, on one scale for all kinds of columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.pictures.column import shape_of
from kd_core.data.split import row_keys
from kd_core.data.targets import Target
from kd_core.data.types.base import TypedColumn

SAMPLE_ROWS = 20_000  # enough to see a link of 0.02; keeps a million rows under a second
_FOLDS = 5
_BINS = 64
_PERIODS = 8  # of equal rows; 64 bins of a small table hold too few rows each to show a slow drift with the date
_CELLS = 500_000  # bins x classes held per fold


def sample_rows(target: Target, most: int = SAMPLE_ROWS) -> npt.NDArray[np.int64]:
    """Pick rows with a known target, by hash, in file order."""
    rows = np.flatnonzero(target.present)
    if len(rows) > most:
        rows = np.sort(rows[np.argsort(row_keys(len(rows), 1), kind="stable")[:most]])
    return rows


def explained_shares(columns: list[TypedColumn], target: Target) -> dict[str, float]:
    """Cross-validate, per column, the share of the target's uncertainty that it removes.

    Units: 0..1; share of the log loss (classes) or of the variance (regression) of always saying the average.
    Each column is cut into bins (numbers by quantile) and each bin predicts its own average from the other folds;
    a date is cut into few long periods as well, and the better of both cuts counts.
    """
    rows = sample_rows(target)
    y = target.values[rows]
    fold = (row_keys(len(rows), 2) % np.uint64(_FOLDS)).astype(np.int64)
    score = _numbers if target.is_number else _classes
    num_classes = max(len(target.classes), 1)
    found = {}
    for column in columns:
        values = column.values.iloc[rows]
        cuts = [_bin(values, max(2, _CELLS // num_classes))]
        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            cuts.append(_quantile_bins(_as_float(values), _PERIODS))
        reached = [score(bins, y, fold, num_classes) for bins in cuts if bins is not None]
        found[column.name] = float(np.clip(max(reached, default=0.0), 0.0, 1.0))
    return found


def _bin(values: pd.Series, most: int) -> npt.NDArray[np.int64] | None:
    """Cut a column into bins; a missing value is a bin of its own."""
    if shape_of(values):
        return None
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes = values.cat.codes.to_numpy().astype(np.int64)
    elif pd.api.types.is_datetime64_any_dtype(values.dtype) or pd.api.types.is_float_dtype(values.dtype):
        return _quantile_bins(_as_float(values))
    else:
        numeric = pd.to_numeric(values.astype("object"), errors="coerce")
        if int(numeric.notna().sum()) == int(values.notna().sum()):
            held = numeric.to_numpy(np.float64)
            return _quantile_bins(np.where(np.isfinite(held), held, np.nan))
        codes = pd.factorize(values)[0].astype(np.int64)
    _, codes = np.unique(codes, return_inverse=True)
    counts = np.bincount(codes)
    if len(counts) < 2:
        return None
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    found: npt.NDArray[np.int64] = np.minimum(rank[codes], most - 1)
    return found


def _as_float(values: pd.Series) -> npt.NDArray[np.float64]:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        stamps = values.to_numpy().astype("datetime64[us]")
        return np.where(np.isnat(stamps), np.nan, stamps.astype(np.int64).astype(np.float64))
    found: npt.NDArray[np.float64] = values.to_numpy(np.float64)
    return found


def _quantile_bins(values: npt.NDArray[np.float64], most: int = _BINS) -> npt.NDArray[np.int64] | None:
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    unique = np.unique(known)
    edges = unique[1:] if len(unique) <= most else np.unique(np.quantile(known, np.linspace(0, 1, most + 1)[1:-1]))
    bins = np.searchsorted(edges, values, side="right")
    bins[np.isnan(values)] = len(edges) + 1
    return bins.astype(np.int64) if bins.min() < bins.max() else None


def _classes(bins: Any, y: Any, fold: Any, num_classes: int) -> float:
    num_bins = int(bins.max()) + 1
    total = np.bincount(bins * num_classes + y, minlength=num_bins * num_classes).reshape(num_bins, num_classes)
    prior = (total.sum(axis=0) + 1e-9) / total.sum()
    loss = base = 0.0
    for k in range(_FOLDS):
        held = fold == k
        inside = np.bincount(bins[held] * num_classes + y[held], minlength=num_bins * num_classes)
        rest = total - inside.reshape(num_bins, num_classes)
        p = (rest[bins[held], y[held]] + prior[y[held]]) / (rest.sum(axis=1)[bins[held]] + 1)
        loss -= float(np.log(p).sum())
        base -= float(np.log(prior[y[held]]).sum())
    return 1 - loss / base if base > 0 else 0.0


def _numbers(bins: Any, y: Any, fold: Any, _: int) -> float:
    mean, error = float(y.mean()), 0.0
    centred = y - mean
    sums, counts = np.bincount(bins, centred), np.bincount(bins)
    for k in range(_FOLDS):
        held = fold == k
        rest = sums - np.bincount(bins[held], centred[held], minlength=len(sums))
        number = counts - np.bincount(bins[held], minlength=len(sums))
        error += float(((centred[held] - (rest / (number + 1))[bins[held]]) ** 2).sum())
    variance = float((centred**2).sum())
    return 1 - error / variance if variance > 0 else 0.0
