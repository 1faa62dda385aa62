"""Rows ordered by their scores within groups: what metrics of rankings are counted from, one value a group.

Rows of equal score are in no order, so a value is the mean over all orders of them: neither the luck of a sort nor the file decides.
Legend: N rows, G groups.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import Answers
from kd_core.tasks.gains import gains


@dataclass(frozen=True)
class Lists:
    """The rows of all groups, best score first. `at_N` the row at each place, `group_N` its group, counted from 0.

    `first_N`, `last_N`: the ranks, from 0 in each group, over which the rows of a place's score are spread. `sizes_G`: rows of a group.
    """

    at_N: Array
    group_N: Array
    first_N: Array
    last_N: Array
    sizes_G: Array

    @classmethod
    def of(cls, answers: Answers, score_N: Array | None = None) -> Lists:
        """Order by the answers' scores, or by others. Without groups all rows are one."""
        score = np.asarray(answers.values if score_N is None else score_N, dtype=np.float64)
        rows = np.arange(len(score))
        codes = np.unique(answers.groups, return_inverse=True)[1] if answers.groups is not None else np.zeros_like(rows)
        at = np.lexsort((-score, codes))
        group, ordered = codes[at], score[at]
        sizes = np.bincount(group)
        begins = (np.cumsum(sizes) - sizes)[group]
        new = np.r_[True, (group[1:] != group[:-1]) | (ordered[1:] != ordered[:-1])]
        starts = np.flatnonzero(new)
        counts = np.diff(np.r_[starts, len(score)])
        first = np.repeat(starts, counts) - begins
        return cls(at, group, first, first + np.repeat(counts, counts) - 1, sizes)

    def per_group(self, value_N: Array) -> Array:
        """Add up values of places. Shape: (N,) -> (G,)."""
        return np.bincount(self.group_N, weights=value_N, minlength=len(self.sizes_G))

    def worth(self, at_rank: Array) -> Array:
        """Return what each place's rows find on average at the ranks over which they are spread. Shape: one value a rank -> (N,)."""
        total = np.r_[0.0, np.cumsum(at_rank)]
        return np.asarray((total[self.last_N + 1] - total[self.first_N]) / (self.last_N + 1 - self.first_N))


def ndcg(answers: Answers, k: int) -> Array:
    """Compute each group's NDCG@k; NaN where no row is relevant, as every order is the same then. Shape: -> (G,)."""
    gain = gains(np.asarray(answers.y, dtype=np.float64))
    lists, best = Lists.of(answers), Lists.of(answers, gain)
    rank = np.arange(int(lists.sizes_G.max()))
    discount = np.where(rank < k, 1 / np.log2(rank + 2.0), 0.0)
    found, ideal = (one.per_group(gain[one.at_N] * one.worth(discount)) for one in (lists, best))
    return _share(found, ideal)


def recall(answers: Answers, k: int) -> Array:
    """Compute which share of each group's relevant rows (grade above 0) is among its first k; NaN where none is. Shape: -> (G,)."""
    lists = Lists.of(answers)
    relevant = (np.asarray(answers.y)[lists.at_N] > 0).astype(np.float64)
    inside = (np.arange(int(lists.sizes_G.max())) < k).astype(np.float64)
    found, all_of = lists.per_group(relevant * lists.worth(inside)), lists.per_group(relevant)
    return _share(found, all_of)


def reciprocal_rank(answers: Answers) -> Array:
    """Compute 1 / rank of each group's first relevant row (grade above 0); NaN where none is. Shape: -> (G,)."""
    lists = Lists.of(answers)
    relevant = np.asarray(answers.y)[lists.at_N] > 0
    found = np.full(len(lists.sizes_G), np.nan)
    groups, place = np.unique(lists.group_N[relevant], return_index=True)
    first, last = lists.first_N[relevant][place], lists.last_N[relevant][place]
    beside = np.bincount(
        lists.group_N[relevant & (lists.first_N == _spread(first, groups, lists))], minlength=len(found)
    )
    found[groups] = [
        _first_of(int(a), int(b - a + 1), int(r)) for a, b, r in zip(first, last, beside[groups], strict=True)
    ]
    return found


def _share(found_G: Array, all_G: Array) -> Array:
    return np.asarray(np.divide(found_G, all_G, out=np.full(len(all_G), np.nan), where=all_G > 0))


def _spread(value: Array, groups: Array, lists: Lists) -> Array:
    """Give every place the value of its group, -1 where the group has none."""
    by_group = np.full(len(lists.sizes_G), -1, dtype=np.int64)
    by_group[groups] = value
    return np.asarray(by_group[lists.group_N])


@functools.lru_cache(maxsize=4096)
def _first_of(before: int, rows: int, relevant: int) -> float:
    """Return the mean of 1 / rank of the first relevant one of rows of equal score, over all their orders; `before`: rows above them."""
    k = np.arange(rows - relevant + 1)  # so many others come first
    none_yet = np.r_[1.0, np.cumprod((rows - relevant - k[:-1]) / (rows - k[:-1]))]
    return float((none_yet * relevant / (rows - k)) @ (1 / (before + k + 1.0)))


def mean(value_G: Array) -> float | None:
    """Average over the groups that have a value; None where none has."""
    known = value_G[~np.isnan(value_G)]
    return float(known.mean()) if len(known) else None


def influence(answers: Answers, value_G: Array) -> Array | None:
    """Spread each group's distance from the mean over its rows, so that the rows of a group add up to what the group weighs.

    The metric is a mean over groups: with weights that are the same within a group it is sum of w v / sum of w over the groups that have
    a value. A group's sum of influences is then N (v - mean) / G whatever its size, and `row_standard_error` with the groups as units
    gives the deviation of the groups over the root of their number. Shape: (G,) -> (N,).
    """
    known = ~np.isnan(value_G)
    if not known.any():
        return None
    rows = len(answers.y)
    code = np.zeros(rows, np.int64) if answers.groups is None else np.unique(answers.groups, return_inverse=True)[1]
    away = np.where(known, value_G - value_G[known].mean(), 0.0)
    return np.asarray((away * rows / (known.sum() * np.bincount(code)))[code])


def weighted(weights_DN: Array, answers: Answers, value_G: Array) -> Array:
    """Return the metric in draws of groups: a group weighs as its rows do on average. Shape: (D, N) -> (D,)."""
    code = (
        np.zeros(len(answers.y), np.int64)
        if answers.groups is None
        else np.unique(answers.groups, return_inverse=True)[1]
    )
    share = np.zeros((len(code), len(value_G)))
    share[np.arange(len(code)), code] = (1 / np.bincount(code))[code]
    known = ~np.isnan(value_G)
    weight = (np.asarray(weights_DN, dtype=np.float64) @ share)[:, known]
    return np.asarray(weight @ value_G[known] / weight.sum(axis=1))


def ndcg_reference(answers: Answers, k: int) -> float:
    """Average scikit-learn's NDCG@k over groups with a relevant row; it refuses groups of one row, whose order is always the best."""
    from sklearn.metrics import ndcg_score

    assert answers.groups is not None and answers.values is not None
    own = [answers.groups == one for one in np.unique(answers.groups)]
    found = [
        ndcg_score(gains(answers.y[rows])[None], answers.values[rows][None], k=k) if rows.sum() > 1 else 1.0
        for rows in own
        if answers.y[rows].any()
    ]
    return float(np.mean(found))
