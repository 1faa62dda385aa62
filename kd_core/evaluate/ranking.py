"""Rows sorted by a score, with ties kept together: what both areas under a curve are counted from.

Legend: N rows, C classes.
"""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array


def margins(z_NC: Array) -> Array:
    """Compute z_c - logsumexp(the other z): the log-odds of each class against the rest, exact at any size.

    For two classes this is the difference of both logits. Shape: (N, C) float64.
    """
    z = np.asarray(z_NC, dtype=np.float64)
    if z.shape[1] == 2:
        difference = z[:, 1] - z[:, 0]
        return np.stack([-difference, difference], axis=1)
    if not len(z):
        return z
    by_class = np.ascontiguousarray(z.T)  # sums over classes and single columns are quick this way round
    rows, top = np.arange(len(z)), by_class.argmax(axis=0)
    highest = by_class[top, rows]
    others = np.exp(by_class - highest)
    others[top, rows] = 0.0
    rest = others.sum(axis=0)
    others = 1.0 + rest - others  # at least 1 for every class but the top one, so nothing is lost
    others[top, rows] = np.maximum(rest, np.finfo(np.float64).tiny)
    found = by_class - highest - np.log(others)
    far = np.flatnonzero(
        rest < np.finfo(np.float64).tiny * 1e10
    )  # all others more than about 685 below: exp is no help
    if len(far):
        below = by_class[:, far]
        below[top[far], np.arange(len(far))] = -np.inf
        second = below.max(axis=0)
        found[top[far], far] = highest[far] - second - np.log(np.exp(below - second).sum(axis=0))
    return np.asarray(found.T)


class Ranking:
    """Rows in rising order of a score. Rows of equal score form one group.

    order_N: row at each place; first_N, last_N: first and last place of the group of each place.
    """

    def __init__(self, score_N: Array) -> None:
        self.order = np.argsort(score_N)
        ordered = score_N[self.order]
        new = ordered[1:] != ordered[:-1]
        self.tied = not new.all()
        self.first = self.last = np.arange(len(ordered))
        if self.tied:
            starts = np.flatnonzero(np.r_[True, new])
            sizes = np.diff(np.r_[starts, len(ordered)])
            self.first, self.last = np.repeat(starts, sizes), np.repeat(starts + sizes - 1, sizes)

    def through(self, placed_N: Array) -> Array:
        """Sum values from the lowest place to the last one of each place's group."""
        sums = np.cumsum(placed_N)
        return np.asarray(sums[self.last] if self.tied else sums)

    def before(self, placed_N: Array) -> Array:
        """Sum values from the lowest place to just below each place's group."""
        sums = np.cumsum(placed_N) - placed_N
        return np.asarray(sums[self.first] if self.tied else sums)

    def spread(self, placed_N: Array) -> Array:
        """Bring values from places back to rows."""
        found = np.empty(len(self.order))
        found[self.order] = placed_N
        return found

    def placements(self, positive_N: Array) -> tuple[Array, float] | None:
        """Count, for a positive row, the share of negative rows below it, for a negative row of positive rows above.

        A tie counts half. The mean over either side is the area under the ROC curve, which is returned too; None
        when only one side occurs. Shape: (N,). Source: DeLong et al. 1988, doi:10.2307/2531595.
        """
        ordered = np.asarray(positive_N, dtype=np.float64)[self.order]
        n, num_positive = len(ordered), ordered.sum()
        num_negative = n - num_positive
        if not num_positive or not num_negative:
            return None
        positives = (self.before(ordered) + self.through(ordered)) / 2  # below, ties half
        negatives = (self.first + self.last + 1) / 2 - positives
        placed = np.where(ordered > 0, negatives / num_negative, 1.0 - positives / num_positive)
        return self.spread(placed), float(placed @ ordered / num_positive)
