"""Which epoch a stack selects, and the two scores it tells: from scores that are dictated, epoch by epoch."""

from __future__ import annotations

import pytest

from kd_core.evaluate.many import ManyScores
from tests.distill.eager import make_dataset, make_variant
from tests.distill.fused_runs import run, training_spec

HIGHER = {"roc_auc": ((0.5, 0.7, 0.7, 0.6, 0.6), (0.9, 0.8, 0.8, 0.9, 0.7))}
LOWER = {"log_loss": ((0.7, 0.5, 0.5, 0.6, 0.6), (0.3, 0.4, 0.4, 0.3, 0.5))}


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
def test_a_tie_keeps_the_earlier_epoch_and_the_last_score_is_not_the_best(monkeypatch, metric):
    scores = (HIGHER | LOWER)[metric]
    epochs = iter(range(5))

    def dictated(self, z):
        epoch = next(epochs)
        return [s[epoch] for s in scores]

    monkeypatch.setattr(ManyScores, "__call__", dictated)
    found = run(
        make_dataset(rows=100), [make_variant(seed=0), make_variant(seed=1)], training_spec(epochs=5), metric=metric
    )
    told = [(r.selected_epoch, r.last_epoch, r.score_selected, r.score_last) for r in found]
    assert told == [(2, 5, scores[0][1], scores[0][4]), (1, 5, scores[1][0], scores[1][4])]
    for result in found:
        assert [h["epoch"] for h in result.history if h["best"]][-1] == result.selected_epoch


def test_patience_counts_from_the_first_of_equal_epochs(monkeypatch):
    monkeypatch.setattr(ManyScores, "__call__", lambda self, z: [0.5])
    (found,) = run(make_dataset(rows=100), [make_variant()], training_spec(epochs=9, patience=3))
    assert (found.selected_epoch, found.last_epoch) == (1, 4)
