"""Which epoch a stack selects, and the two scores it tells: from scores that are dictated, epoch by epoch."""

from __future__ import annotations

import pytest

from kd_core.distill.sweep import sequential
from kd_core.evaluate.many import ManyScores
from tests.distill.eager import make_dataset, make_teacher, make_variant
from tests.distill.fused_runs import assert_equal, run, training_spec
from tests.distill.training import train

HIGHER = {"roc_auc": ((0.5, 0.7, 0.7, 0.6, 0.6), (0.9, 0.8, 0.8, 0.9, 0.7))}
LOWER = {"log_loss": ((0.7, 0.5, 0.5, 0.6, 0.6), (0.3, 0.4, 0.4, 0.3, 0.5))}


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
def test_a_tie_of_score_and_loss_keeps_the_earlier_epoch_and_the_last_score_is_not_the_best(monkeypatch, metric):
    scores = (HIGHER | LOWER)[metric]
    epochs = iter(range(5))

    def dictated(self, z):
        epoch = next(epochs)
        return [s[epoch] for s in scores]

    monkeypatch.setattr(ManyScores, "__call__", dictated)
    monkeypatch.setattr(ManyScores, "losses", lambda self, z: [0.5] * len(z))
    found = run(
        make_dataset(rows=100), [make_variant(seed=0), make_variant(seed=1)], training_spec(epochs=5), metric=metric
    )
    told = [(r.selected_epoch, r.last_epoch, r.score_selected, r.score_last) for r in found]
    assert told == [(2, 5, scores[0][1], scores[0][4]), (1, 5, scores[1][0], scores[1][4])]
    for result in found:
        assert [h["epoch"] for h in result.history if h["best"]][-1] == result.selected_epoch


def test_patience_counts_from_the_first_of_equal_epochs(monkeypatch):
    monkeypatch.setattr(ManyScores, "__call__", lambda self, z: [0.5])
    monkeypatch.setattr(ManyScores, "losses", lambda self, z: [0.5])
    (found,) = run(make_dataset(rows=100), [make_variant()], training_spec(epochs=9, patience=3))
    assert (found.selected_epoch, found.last_epoch) == (1, 4)


def test_of_equal_scores_each_network_keeps_the_lower_loss_and_patience_counts_from_it(monkeypatch):
    losses = iter(zip((0.6, 0.5, 0.55, 0.52, 0.51), (0.6, 0.5, 0.4, 0.3, 0.2), strict=True))
    monkeypatch.setattr(ManyScores, "__call__", lambda self, z: [0.5] * len(z))
    monkeypatch.setattr(ManyScores, "losses", lambda self, z: list(next(losses))[-len(z) :])
    variants = [make_variant(seed=0), make_variant(seed=1)]
    found = run(make_dataset(rows=100), variants, training_spec(epochs=5, patience=3))
    assert [(r.selected_epoch, r.last_epoch) for r in found] == [(2, 5), (5, 5)]


@pytest.mark.parametrize("metric", ["roc_auc", "accuracy", "f1"])
def test_a_stack_and_one_by_one_settle_ties_alike(metric):
    dataset, training = make_dataset(rows=60, validation=12), training_spec(epochs=30)
    asked = [make_variant(width=w, rate=0.02, seed=w) for w in (4, 8, 12)]
    how = {"metric": metric, "precision": "float32"}
    together = run(dataset, asked, training, **how)
    alone = train(sequential.train, dataset, asked, make_teacher(dataset), training, **how)
    for a, b in zip(together, alone, strict=True):
        assert_equal(a, b, 1e-5)
    firsts = [[h["score"] for h in a.history].index(a.score_selected) + 1 for a in together]
    assert any(a.selected_epoch > first for a, first in zip(together, firsts, strict=True))  # or there was no tie
