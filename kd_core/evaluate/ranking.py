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
    rows, top = np.arange(len(z)), z.argmax(axis=1)
    highest = z[rows, top]
    e = np.exp(z - highest[:, None])
    # Any class but the top one has p <= 1/2, so log(1 - p) loses nothing; the top one's rest is summed without it.
    total = e.sum(axis=1)
    rest = highest[:, None] + np.log(total)[:, None] + np.log1p(-np.minimum(e / total[:, None], 0.5))
    others = z.copy()
    others[rows, top] = -np.inf
    second = others.max(axis=1)
    rest[rows, top] = second + np.log(np.exp(others - second[:, None]).sum(axis=1))
    return np.asarray(z - rest)


class Ranking:
    """Rows in rising order of a score. Rows of equal score form one group.

    order_N: row at each place; first_N, last_N: first and last place of the group of each place.
    """

    def __init__(self, score_N: Array) -> None:
        self.order = np.argsort(score_N)
        ordered = score_N[self.order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, np.int64)
        sizes = np.diff(np.r_[starts, len(ordered)])
        if len(starts) == len(ordered):
            self.first = self.last = np.arange(len(ordered))
        else:
            self.first, self.last = np.repeat(starts, sizes), np.repeat(starts + sizes - 1, sizes)

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
        ordered = np.asarray(positive_N)[self.order]
        num_positive = int(ordered.sum())
        num_negative = len(ordered) - num_positive
        if not num_positive or not num_negative:
            return None
        upto = np.cumsum(ordered)  # positive rows up to each place
        until, through = upto[self.first] - ordered[self.first], upto[self.last]
        above = num_positive - (until + through) / 2
        below = (self.first - until + self.last + 1 - through) / 2
        found = self.spread(np.where(ordered, below / num_negative, above / num_positive))
        return found, float(found[positive_N].mean())
