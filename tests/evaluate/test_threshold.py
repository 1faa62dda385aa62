"""From which probability on the answer is yes: what each rule chooses, and what is told of it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_recall_curve, precision_score, recall_score

from kd_core.evaluate import threshold
from kd_core.evaluate.threshold import Rule


def rows(seed=0, n=400, share=0.1):
    rng = np.random.default_rng(seed)
    yes = rng.random(n) < share
    return yes, np.round(1 / (1 + np.exp(3 - 2.0 * yes - rng.normal(0, 1, n))), 2)  # with many equal ones


@pytest.mark.parametrize("seed", range(6))
def test_the_best_f1_of_all_thresholds_is_chosen(seed):
    yes, p = rows(seed)
    at = threshold.chosen(yes, p, Rule("f1"))
    best = max(f1_score(yes, p >= value) for value in np.unique(p))
    assert threshold.told(yes, p, at)["f1"] == pytest.approx(best) and at not in p


@pytest.mark.parametrize("seed", range(6))
def test_a_wanted_precision_is_kept_with_the_most_recall_and_a_wanted_recall_with_the_highest_threshold(seed):
    yes, p = rows(seed)
    precision, recall, _ = precision_recall_curve(yes, p)
    found = threshold.told(yes, p, threshold.chosen(yes, p, Rule("precision", 0.6)))
    assert found["precision"] >= 0.6
    assert found["recall"] == pytest.approx(recall[precision >= 0.6].max())
    at = threshold.chosen(yes, p, Rule("recall", 0.7))
    assert threshold.told(yes, p, at)["recall"] >= 0.7
    above = p[p >= at].min()
    assert recall_score(yes, p > above) < 0.7


def test_a_precision_that_none_keeps_gives_the_highest_there_is():
    yes, p = np.array([0, 1, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.6, 0.1])
    at = threshold.chosen(yes, p, Rule("precision", 0.99))
    assert threshold.told(yes, p, at)["precision"] == 0.5 and at == pytest.approx(0.35)


def test_rows_of_one_class_have_no_threshold():
    p = np.array([0.1, 0.4])
    assert threshold.chosen(np.zeros(2), p, Rule("f1")) is None and threshold.chosen(np.ones(2), p, Rule("f1")) is None
    assert threshold.curve(np.zeros(2), p) == {"threshold": [], "precision": [], "recall": []}


def test_what_is_told_is_what_scikit_learn_says():
    yes, p = rows(3)
    found = threshold.told(yes, p, 0.3)
    called = p >= 0.3
    wanted = precision_score(yes, called), recall_score(yes, called), f1_score(yes, called), called.mean()
    assert tuple(found.values()) == pytest.approx(wanted)
    assert threshold.told(yes, p, 2.0) == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "called": 0.0}


@pytest.mark.slow
def test_a_curve_goes_from_the_first_row_to_full_recall_and_lies_on_the_true_one():
    yes, p = rows(1, 5000)
    found = threshold.curve(yes, p, 50)
    assert len(found["recall"]) <= 50 and found["recall"][-1] == 1.0 and found["recall"] == sorted(found["recall"])
    for at, precision, recall in zip(*found.values(), strict=True):
        assert precision == pytest.approx(precision_score(yes, p >= at), abs=1e-5)
        assert recall == pytest.approx(recall_score(yes, p >= at), abs=1e-5)


@pytest.mark.parametrize(
    "asked, share, wanted",
    [
        (None, 0.02, Rule("f1")),
        (None, 0.1, None),
        ("half", 0.02, None),
        ("f1", 0.5, Rule("f1")),
        ("precision:.8", 0.5, Rule("precision", 0.8)),
        ("recall:0.95", 0.5, Rule("recall", 0.95)),
    ],
)
def test_what_is_asked_for_is_read_and_few_positive_rows_ask_for_f1(asked, share, wanted):
    assert threshold.rule_of(asked, share) == wanted
