"""Values of ranked lists: each equals the mean over all orders of equal scores, and lists without a relevant row are left out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from kd_core.evaluate import lists
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import METRICS
from kd_core.evaluate.intervals.row_spread import row_spread, units_of


def answers(y, score, groups=None):
    return from_logits("ranking", np.asarray(y, float), np.asarray(score, float)[:, None], groups=groups)


def one_order(y, k):
    """NDCG@k, recall@k and reciprocal rank of rows in this order."""
    gain, discount = 2.0 ** np.asarray(y) - 1, 1 / np.log2(np.arange(len(y)) + 2.0)
    best = np.sort(gain)[::-1]
    relevant = np.flatnonzero(np.asarray(y) > 0)
    return (
        (gain[:k] @ discount[:k]) / (best[:k] @ discount[:k]),
        (relevant < k).sum() / len(relevant),
        1 / (relevant[0] + 1),
    )


def by_hand(y, score, k):
    """The mean over all orders that the scores allow."""
    found = [
        one_order([y[i] for i in order], k)
        for order in itertools.permutations(range(len(y)))
        if all(score[a] >= score[b] for a, b in itertools.pairwise(order))
    ]
    return np.mean(found, axis=0)


@pytest.mark.parametrize("seed", range(30))
def test_equal_scores_count_as_all_their_orders_on_average(seed):
    rng = np.random.default_rng(seed)
    rows, k = int(rng.integers(1, 7)), int(rng.integers(1, 5))
    y = rng.integers(0, 4, rows)
    y[rng.integers(rows)] = rng.integers(1, 4)
    score = rng.integers(0, 3, rows)
    a = answers(y, score)
    found = lists.ndcg(a, k)[0], lists.recall(a, k)[0], lists.reciprocal_rank(a)[0]
    assert found == pytest.approx(by_hand(y, score, k), abs=1e-12)


def test_groups_are_apart_and_in_any_order_of_the_file():
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 9, 80)
    y, score = rng.integers(0, 5, 80), rng.integers(0, 6, 80)
    a = answers(y, score, groups * 10 + 3)
    for value in (lambda a: lists.ndcg(a, 5), lambda a: lists.recall(a, 3), lists.reciprocal_rank):
        alone = [value(answers(y[groups == g], score[groups == g]))[0] for g in range(9)]
        assert value(a) == pytest.approx(alone, nan_ok=True)


def test_a_list_without_a_relevant_row_is_left_out():
    groups = np.repeat([0, 1, 2], 3)
    y = [0, 0, 0, 1, 0, 0, 0, 2, 0]
    score = [3, 2, 1] * 3
    a = answers(y, score, groups)
    assert np.isnan(lists.ndcg(a, 5)).tolist() == [True, False, False]
    second = 1 / np.log2(3)
    assert METRICS.get("ndcg_5").make(a) == pytest.approx((1 + second) / 2)
    assert METRICS.get("mrr").make(a) == pytest.approx((1 + 1 / 2) / 2)
    assert METRICS.get("recall_10").make(a) == 1.0
    nothing = answers(np.zeros(9), score, groups)
    for name in ("ndcg_5", "ndcg_10", "mrr", "recall_10"):
        assert METRICS.get(name).make(nothing) is None
        assert row_spread(name, [nothing]) is None


def test_a_better_grade_counts_twice_as_much_and_more():
    """By hand: gains 7, 1, 0; the best order gives 7 + 1/log2(3), this one 1 + 7/log2(3)."""
    a = answers([1, 3, 0], [3, 2, 1])
    second = 1 / np.log2(3)
    assert lists.ndcg(a, 5)[0] == pytest.approx((1 + 7 * second) / (7 + second))


def test_the_interval_is_that_of_the_lists_however_long_they_are():
    """The standard error of a mean over lists: their deviation by the root of their number, whether a list has 2 rows or 40."""
    rng = np.random.default_rng(5)
    sizes = rng.choice([2, 3, 40], 120)
    groups = np.repeat(np.arange(120), sizes)
    y = rng.integers(0, 3, len(groups))
    score = y + 2 * rng.normal(size=len(groups))
    a = answers(y, score, groups)
    values = lists.ndcg(a, 5)
    known = values[~np.isnan(values)]
    away = np.where(np.isnan(values), 0, values - known.mean())
    expected = np.sqrt((away**2).sum() * 120 / 119) / len(known)
    for units in (None, units_of(groups)):
        assert row_spread("ndcg_5", [a], units).standard_error([1]) == pytest.approx(expected, rel=1e-9)
    drawn = rng.integers(0, 120, (4000, 120))
    assert expected == pytest.approx(np.nanmean(values[drawn], axis=1).std(), rel=0.05)
