"""Rows with several labels: what every label's answers come to. Legend: N rows, K labels."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import Answers
from kd_core.evaluate.ranking import Ranking


def called(answers: Answers) -> Array:
    """Say which labels are called right: those of a probability of .5 or more. Shape: (N, K) bool."""
    if answers.z is not None:
        return np.asarray(answers.z >= 0)
    assert answers.p is not None
    return np.asarray(answers.p >= 0.5)


def scores(answers: Answers) -> Array:
    """Return what rows are ranked by for each label: log odds where they are known. Shape: (N, K)."""
    found = answers.p if answers.z is None else answers.z
    assert found is not None
    return found


def precision_of(positive_N: Array, score_N: Array) -> float | None:
    """Measure average precision of one label; None where no row has it. Rows of equal score share one threshold."""
    ranking = Ranking(score_N)
    positive = positive_N.astype(np.float64)[ranking.order]
    num_positive = positive.sum()
    if not num_positive:
        return None
    precision = (num_positive - ranking.before(positive)) / (len(positive) - ranking.first)
    return float(precision @ positive / num_positive)


def precision_influence(positive_N: Array, score_N: Array) -> Array:
    """Differentiate average precision of one label by each row's weight, as `pr_auc` does."""
    ranking = Ranking(score_N)
    positive = positive_N.astype(np.float64)[ranking.order]
    n, num_positive = len(positive), positive.sum()
    at_or_above = (n - ranking.first).astype(np.float64)
    precision = (num_positive - ranking.before(positive)) / at_or_above
    each = positive / at_or_above
    average = precision @ positive / num_positive
    placed = positive * (precision - average + ranking.through(each)) - ranking.through(each * precision)
    return ranking.spread(placed * n / num_positive)


def losses(answers: Answers) -> Array:
    """Return minus the log of the probability given to the right answer of each label. Shape: (N, K)."""
    if answers.z is not None:
        z, y = np.asarray(answers.z, np.float64), answers.y
        return np.asarray(np.logaddexp(0, np.where(y > 0, -z, z)))
    assert answers.p is not None
    right = np.where(answers.y > 0, answers.p, 1 - answers.p)
    return np.asarray(-np.log(np.maximum(right, np.finfo(np.float64).eps)))


def f1_counts(answers: Answers) -> tuple[Array, Array]:
    """Count for each label the rows where it is right and called, and those with it plus those called so. Shape: (K,), (K,)."""
    y, told = answers.y > 0, called(answers)
    return (y & told).sum(axis=0), y.sum(axis=0) + told.sum(axis=0)
