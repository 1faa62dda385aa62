"""When a training ends: patience in the first round, then as long as a round still gains, at most as many as were planned."""

import pytest

from kd_core.specs import TrainingSpec
from kd_core.training import checkpoint, ending
from kd_core.training.ending import ended, worth
from kd_core.training.loop import optimise
from kd_core.training.plan import ROUNDS, TrainingPlan, resolve

from .setting import pieces, same, weights
from .test_checkpoint import Killed, essence

PLAN = TrainingPlan(epochs=10, batch_size=8, patience=4, rounds=3)


def last(scores, plan=PLAN, metric="rmse"):
    """Feed a training its scores until it ends; return its last epoch."""
    for epoch in range(1, len(scores) + 1):
        seen = scores[:epoch]
        best = min if metric == "rmse" else max
        if ended(plan, metric, [{"score": s} for s in seen], seen.index(best(seen)) + 1):
            return epoch
    return None


def falling(*levels):
    """Scores that fall evenly to a level by the end of each round of ten."""
    found, at = [], 200.0
    for level in levels:
        found += [at + (level - at) * k / 10 for k in range(1, 11)]
        at = level
    return found


def test_nothing_has_ended_before_its_first_epoch():
    assert not ended(PLAN, "rmse", [], 0)


def test_patience_ends_a_training_within_its_first_round():
    assert last([5.0, 4.0, 3.0, *[3.5] * 40]) == 7
    assert last([9.0, 8.0, 7.0, 6.0, 5.0, 4.0, *[4.5] * 40]) == 10  # with the round


def test_a_round_that_gains_is_followed_by_another_and_the_budget_ends_it():
    assert last(falling(100, 90, 80, 70)) == 30
    assert last(falling(100, 90, 89.99, 70)) == 30  # the last round of three is the last anyway
    assert last(falling(100, 99.99, 80)) == 20  # a hundredth of a percent, a fifth of one is asked for


def test_the_first_round_is_judged_by_its_second_half():
    assert last([100.0] + [10.0 - 1e-3 * k for k in range(30)]) == 10
    assert last([100.0] + [50.0 - 2 * k for k in range(15)]) is None


def test_patience_waits_for_the_end_of_a_later_round_where_the_step_size_begins_anew():
    worse_at_first = [*falling(100), *[120.0] * 8, 90.0, 85.0, *[99.0] * 10]
    assert last(worse_at_first) == 30
    steady = TrainingPlan(epochs=10, batch_size=8, patience=4, rounds=3, schedule="constant")
    assert last(worse_at_first, steady) == 14


def test_one_round_is_all_where_epochs_were_asked_for():
    assert resolve(TrainingSpec(epochs=7), 8_400).most_epochs == 7
    plan = resolve(TrainingSpec(), 8_400)
    assert (plan.epochs, plan.rounds, plan.most_epochs) == (60, ROUNDS, 60 * ROUNDS)
    assert last(falling(100, 90), TrainingPlan(epochs=10, batch_size=8, patience=4)) == 10


def test_the_planned_end_is_that_of_the_round():
    assert [PLAN.planned_end(e) for e in (1, 10, 11, 20, 21, 30)] == [10, 10, 20, 20, 30, 30]


@pytest.mark.parametrize(
    ("metric", "before", "now", "worthwhile"),
    [
        ("rmse", 100.0, 99.79, True),  # a tenth of 2 %
        ("rmse", 100.0, 99.81, False),
        ("rmse", 100.0, 101.0, False),
        ("roc_auc", 0.9, 0.9006, True),  # a tenth of half a point
        ("roc_auc", 0.9, 0.9004, False),
        ("rmse", 0.0, 0.0, False),
    ],
)
def test_what_is_worth_further_training_follows_the_metrics_margin(metric, before, now, worthwhile):
    assert worth(metric, before, now) is worthwhile


LONG = {"epochs": 4, "patience": 4, "rounds": 3, "learning_rate": 0.02, "metric": "log_loss"}


def test_every_round_has_its_own_fall_of_the_step_size(monkeypatch):
    monkeypatch.setattr(ending, "worth", lambda *a: True)
    events = []
    trained = optimise(*pieces(**LONG), notify=events.append)
    rates = [e["learning_rate"] for e in events]
    assert trained.last_epoch == 12 and rates[:4] == rates[4:8] == rates[8:] == sorted(rates[:4], reverse=True)
    assert [e["epochs"] for e in events] == [4] * 4 + [8] * 4 + [12] * 4


def test_a_training_that_ends_in_its_first_round_is_the_same_bit_for_bit(monkeypatch):
    monkeypatch.setattr(ending, "worth", lambda *a: False)
    longer, old = optimise(*pieces(**LONG)), optimise(*pieces(**{**LONG, "rounds": 1}))
    assert same(weights(longer.module), weights(old.module)) and essence(longer) == essence(old)


@pytest.mark.parametrize("killed_in", [3, 5, 9])
def test_a_training_resumed_in_any_round_is_the_uninterrupted_one(tmp_path, monkeypatch, killed_in):
    monkeypatch.setattr(ending, "worth", lambda *a: True)
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "COST_FACTOR", 0)

    def notify(event):
        if event["epoch"] == killed_in:
            raise Killed

    with pytest.raises(Killed):
        optimise(*pieces(**LONG), notify=notify, checkpoint=tmp_path)
    resumed, whole = optimise(*pieces(**LONG), checkpoint=tmp_path), optimise(*pieces(**LONG))
    assert resumed.last_epoch == whole.last_epoch == 12
    assert same(weights(resumed.module), weights(whole.module)) and essence(resumed) == essence(whole)


def test_a_checkpoint_from_before_there_were_rounds_is_gone_on_from(tmp_path, monkeypatch):
    """Nothing but the end depends on them."""
    monkeypatch.setattr(ending, "worth", lambda *a: True)
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "COST_FACTOR", 0)

    def notify(event):
        if event["epoch"] == 3:
            raise Killed

    with pytest.raises(Killed):
        optimise(*pieces(**{**LONG, "rounds": 1}), notify=notify, checkpoint=tmp_path)
    assert "rounds" not in (tmp_path / "epoch-00002" / "counters.json").read_text()
    resumed, whole = optimise(*pieces(**LONG), checkpoint=tmp_path), optimise(*pieces(**LONG))
    assert same(weights(resumed.module), weights(whole.module)) and essence(resumed) == essence(whole)
