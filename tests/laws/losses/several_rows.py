"""Rows with three targets, a yes or no, a number and one of three classes, of which some are not known: for the laws."""

from __future__ import annotations

import numpy as np

from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import Answers

SEVERAL = (
    'multitask:[{"name":"bought","task":"binary","classes":["no","yes"]},{"name":"minutes","task":"regression"},'
    '{"name":"shop","task":"multiclass","classes":["a","b","c"]}]'
)
OUTPUTS = 6


def labels(rows: int, seed: int = 0, unknown: float = 0.1) -> np.ndarray:
    """Labels (N, 3), every class among the first rows, whose labels are known."""
    rng = np.random.default_rng(seed)
    y = np.stack([rng.integers(0, 2, rows), rng.normal(300.0, 12.0, rows), rng.integers(0, 3, rows)], axis=1)
    y[:3, 0], y[:3, 2] = (0, 1, 0)[:rows], (0, 1, 2)[:rows]
    hidden = rng.random(y.shape) < unknown
    hidden[:6] = False
    return np.where(hidden, np.nan, y)


def perfect(y: np.ndarray, strength: float) -> np.ndarray:
    """Logits that point at the labels; where these are unknown, anywhere."""
    known = np.nan_to_num(y)
    number = (known[:, 1:2] - 300.0) / 12.0
    return np.concatenate(
        [strength * np.eye(2)[known[:, 0].astype(int)], number, strength * np.eye(3)[known[:, 2].astype(int)]], axis=1
    )


def answers(rows: int, seed: int = 0, strength: float = 1.0, order: np.ndarray | None = None) -> Answers:
    """Answers that are better than chance, in another order where one is given."""
    y = labels(rows, seed)
    off, at = np.random.default_rng(seed + 1).normal(size=(rows, OUTPUTS)), np.arange(rows) if order is None else order
    mean, std = np.array([0.0, 300.0, 0.0]), np.array([1.0, 12.0, 1.0])
    return from_logits(SEVERAL, y[at], (perfect(y, strength) + 0.7 * off)[at], mean, std)
