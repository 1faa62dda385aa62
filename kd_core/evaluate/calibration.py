"""How well stated confidence matches the share that is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kd_core.evaluate.base import Answers

BINS = 15  # the usual number, so that values compare with published ones


@dataclass(frozen=True)
class Bin:
    """Rows of similar confidence. Units: confidence, accuracy and share of all rows in 0..1."""

    confidence: float
    accuracy: float
    count: int
    share: float


def reliability_bins(answers: Answers, bins: int = BINS) -> list[Bin]:
    """Group rows by confidence of the predicted class into equal-width bins; empty bins are left out.

    Source: Guo et al. 2017, arXiv:1706.04599.
    """
    assert answers.p is not None
    confidence = answers.p.max(axis=1)
    right = answers.predicted == answers.y
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    confidence_sum = np.bincount(place, weights=confidence, minlength=bins)
    right_sum = np.bincount(place, weights=right, minlength=bins)
    return [
        Bin(float(confidence_sum[b] / count[b]), float(right_sum[b] / count[b]), int(count[b]), count[b] / len(place))
        for b in np.flatnonzero(count)
    ]
