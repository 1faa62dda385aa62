"""Where the right item stands in a list of the most likely ones, read from the short form of answers (`tasks/next_item.py`).

An item that training never saw (-1), or that is not among those kept, stands beyond the list. Items of one probability share
their places: a list that breaks ties at random has this value on average. Legend: N rows, K items kept, W = 2 K + 1, D weightings.
"""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import Answers

PLACES = 10  # of the list that is shown
_ROWS = 64  # compared at once


def _table(answers: Answers) -> tuple[Array, Array, Array]:
    """Take the short form apart. Shape: (N, K) items, (N, K) log-probabilities, (N,) that of each other item."""
    assert answers.kept is not None
    count = answers.kept.shape[1] // 2
    return answers.kept[:, :count], answers.kept[:, count : 2 * count], answers.kept[:, -1]


def gains(answers: Answers, worth: Array) -> Array:
    """Give each row what the place of its item is worth, on average over its ties. Shape: worth (P,) by place -> (N,)."""
    items, log_p, _ = _table(answers)
    right = items == answers.y[:, None]
    found = right.any(axis=1)
    own = np.where(right, log_p, 0.0).sum(axis=1, keepdims=True)
    above, level = (log_p > own).sum(axis=1), (log_p == own).sum(axis=1)
    total = np.concatenate([[0.0], np.cumsum(worth)])
    last = len(worth)
    mean = (total[np.minimum(above + level, last)] - total[np.minimum(above, last)]) / np.maximum(level, 1)
    return np.where(found, mean, 0.0)


def losses(answers: Answers) -> Array:
    """Take the negative log of the right item's probability; NaN where training never saw it. Shape: (N,)."""
    items, log_p, rest = _table(answers)
    right = items == answers.y[:, None]
    own = np.where(right.any(axis=1), np.where(right, log_p, 0.0).sum(axis=1), rest)
    return np.where(answers.y >= 0, -own, np.nan)


def mean(values_N: Array) -> float | None:
    """Average over the rows that have a value; None where none has."""
    known = ~np.isnan(values_N)
    return float(values_N[known].mean()) if known.any() else None


def weighted(weights_DN: Array, values_N: Array) -> Array:
    """Average with weights of rows. Shape: (D, N), (N,) -> (D,)."""
    known = ~np.isnan(values_N)
    return np.asarray((weights_DN[:, known] * values_N[known]).sum(axis=1) / weights_DN[:, known].sum(axis=1))


def influence(values_N: Array) -> Array | None:
    """Say how the average moves when a row weighs more; not at all where it has no value. Shape: (N,) -> (N,)."""
    known = ~np.isnan(values_N)
    if not known.any():
        return None
    apart = (values_N - values_N[known].mean()) * (len(known) / known.sum())
    return np.where(known, apart, 0.0)


def agreement(first: Array, second: Array) -> float:
    """Share of rows where both name the same item first. Shape: short forms (N, W)."""
    return float((first[:, 0] == second[:, 0]).mean())


def kl(told: Array, heard: Array, num_items: int) -> float:
    """Mean KL(told ‖ heard) over the whole catalogue, as far as the short forms tell. Units: nats. Shape: (N, W) each."""
    total = 0.0
    for at in range(0, len(told), _ROWS):
        total += float(_kl(told[at : at + _ROWS], heard[at : at + _ROWS], num_items).sum())
    return total / max(1, len(told))


def _kl(told: Array, heard: Array, num_items: int) -> Array:
    count = told.shape[1] // 2
    t, s = (one[:, count : 2 * count].astype(np.float64) for one in (told, heard))
    t_rest, s_rest = (one[:, -1].astype(np.float64) for one in (told, heard))
    same = told[:, :count, None] == heard[:, None, :count]  # (N, K, K)
    of_told = np.where(same.any(2), (same * s[:, None]).sum(2), s_rest[:, None])
    only = ~same.any(1)  # items that `heard` alone keeps
    both = (np.exp(t) * (t - of_told)).sum(1) + (np.exp(t_rest)[:, None] * (t_rest[:, None] - s) * only).sum(1)
    left = num_items - count - only.sum(1)
    return np.asarray(both + left * np.exp(t_rest) * (t_rest - s_rest))


def share_at(told: Array, y: Array, temperature: float, num_items: int) -> Array:
    """Return the right item's softened probability. Shape: told (N, W), y (N,) -> (N,)."""
    count = told.shape[1] // 2
    z = told[:, count:].astype(np.float64) / temperature
    p = np.exp(z - z.max(axis=1, keepdims=True))
    whole = p[:, :-1].sum(axis=1) + (num_items - count) * p[:, -1]
    right = told[:, :count] == y[:, None]
    own = np.where(right.any(axis=1), (p[:, :-1] * right).sum(axis=1), p[:, -1])
    return np.asarray(own / whole)
