"""How well stated confidence matches the share that is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import Answers

BINS = 15  # the usual number, so that values compare with published ones


class Bin(TypedDict):
    """Rows of similar confidence. Units: confidence (mean) and accuracy 0..1, count in rows (a mean over seeds)."""

    low: float
    confidence: float
    accuracy: float
    count: float


def places(answers: Answers, num_bins: int = BINS) -> Array:
    """Find the bin of each row's confidence in its predicted class: b holds (b/n, (b+1)/n]. Shape: (N,) int64."""
    assert answers.p is not None
    return np.asarray(np.clip(np.ceil(answers.p.max(axis=1) * num_bins).astype(np.int64) - 1, 0, num_bins - 1))


def bins(answers: Answers, num_bins: int = BINS) -> list[Bin]:
    """Group rows by confidence of the predicted class into equal-width bins; empty bins are left out.

    Source: Guo et al. 2017, arXiv:1706.04599.
    """
    assert answers.p is not None
    confidence = answers.p.max(axis=1)
    right = answers.predicted == answers.y
    place = places(answers, num_bins)
    count = np.bincount(place, minlength=num_bins)
    confidence_sum = np.bincount(place, weights=confidence, minlength=num_bins)
    right_sum = np.bincount(place, weights=right, minlength=num_bins)
    return [
        Bin(
            low=b / num_bins,
            confidence=float(confidence_sum[b] / count[b]),
            accuracy=float(right_sum[b] / count[b]),
            count=float(count[b]),
        )
        for b in map(int, np.flatnonzero(count))
    ]


def pool(per_seed: Sequence[Sequence[Bin]]) -> list[Bin]:
    """Merge the bins of several seeds: row-weighted confidence and accuracy, mean count per seed."""
    together: dict[float, list[Bin]] = {}
    for found in per_seed:
        for b in found:
            together.setdefault(b["low"], []).append(b)
    merged = []
    for low in sorted(together):
        rows = sum(b["count"] for b in together[low])
        confidence = sum(b["confidence"] * b["count"] for b in together[low]) / rows
        accuracy = sum(b["accuracy"] * b["count"] for b in together[low]) / rows
        merged.append(Bin(low=low, confidence=confidence, accuracy=accuracy, count=rows / len(per_seed)))
    return merged


def expected_error(found: Sequence[Bin]) -> float:
    """Compute the row-weighted mean gap between confidence and accuracy (ECE)."""
    rows = sum(b["count"] for b in found)
    return sum(b["count"] * abs(b["accuracy"] - b["confidence"]) for b in found) / rows


def fitted_temperature(z_NC: Array, y_N: Array) -> float:
    """Find the temperature that makes the probabilities of rows that were not learned from likeliest: above 1 for a model that is too sure.

    It changes no answer, only how sure they are. Bounds: 0.05 to 20; 1 where every row is answered rightly, as the likeliest would be
    the surest. Source: Guo et al. 2017, arXiv:1706.04599.
    Shape: logits (N, C), labels (N,) int.
    """
    from scipy.optimize import minimize_scalar  # whoever only answers rows does without

    z, rows = np.asarray(z_NC, np.float64), np.arange(len(y_N))
    if (z.argmax(axis=1) == y_N).all():
        return 1.0
    z = z - z.max(axis=1, keepdims=True)

    def loss(log_temperature: float) -> float:
        scaled = z / np.exp(log_temperature)
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - scaled[rows, y_N]))

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20.0)), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))
