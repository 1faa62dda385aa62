from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from kd_core.errors import KDError, Stopped
from kd_core.models import Outputs
from kd_core.seeding import derive
from kd_core.training import rows
from kd_core.training.loop import TrainRows, check_rows, optimise
from kd_core.training.meter import BatchTerms, NonFiniteLoss
from kd_core.training.predict import predict

from .setting import FEATURES, Net, arrays, mapped, pieces, prefetching, same, weights


def test_equals_a_loop_written_by_hand():
    given = pieces(epochs=3)
    x, y = (torch.from_numpy(a) for a in arrays())
    module = Net()
    optimiser = torch.optim.AdamW(module.parameters(), lr=2e-3, weight_decay=1e-4, fused=True)
    step, losses, best, kept = 0, [], -1.0, {}
    with torch.random.fork_rng(devices=[]):
        for epoch in (1, 2, 3):
            module.train()
            torch.manual_seed(derive(0, "dropout", epoch))
            summed = 0.0
            for index in torch.randperm(300, generator=torch.Generator().manual_seed(derive(0, "order", epoch))).split(
                64
            ):
                optimiser.param_groups[0]["lr"] = 0.5 * 2e-3 * (1 + np.cos(np.pi * step / 15))
                loss = F.cross_entropy(module(x[index]).logits, y[index])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                summed += loss.item() * len(index)
                step += 1
            losses.append(summed / 300)
            value = given[3](predict(module, given[1].x_validation))["roc_auc"]
            if value > best:
                best, kept = value, weights(module)
    trained = optimise(*given)
    assert [h["loss"] for h in trained.history] == pytest.approx(losses, rel=1e-6)
    assert trained.score_selected == best
    assert same(weights(trained.module), kept)


def test_one_event_per_epoch_with_the_fields_of_the_contract():
    events = []
    trained = optimise(*pieces(epochs=4), notify=events.append)
    assert [e["epoch"] for e in events] == [1, 2, 3, 4]
    assert all(e["kind"] == "epoch" and e["epochs"] == 4 for e in events)
    fields = {
        "kind",
        "epoch",
        "epochs",
        "loss",
        "hard",
        "soft",
        "score",
        "metrics",
        "learning_rate",
        "rows_per_s",
        "best",
    }
    assert set(events[0]) == fields
    assert events[0]["best"] is True
    assert max(e["epoch"] for e in events if e["best"]) == trained.selected_epoch
    assert [e["learning_rate"] for e in events] == sorted((e["learning_rate"] for e in events), reverse=True)


def test_the_best_epoch_is_kept_and_both_scores_are_told():
    given = pieces(epochs=8, learning_rate=0.3, schedule="constant", patience=8)
    trained = optimise(*given)
    scores = [h["score"] for h in trained.history]
    assert trained.score_selected == max(scores) == scores[trained.selected_epoch - 1]
    assert trained.score_last == scores[-1]
    assert trained.last_epoch == trained.epochs_run == 8
    assert given[3](predict(trained.module, given[1].x_validation))["roc_auc"] == trained.score_selected
    assert not trained.module.training


def test_patience_ends_training_and_lower_can_be_better():
    given = pieces(epochs=50, patience=2, learning_rate=0.5, schedule="constant", metric="log_loss")
    trained = optimise(*given)
    assert trained.last_epoch == trained.selected_epoch + 2 < 50
    assert trained.score_selected == min(h["score"] for h in trained.history)


@pytest.mark.parametrize(
    ("metric", "scores", "selected"),
    [
        ("roc_auc", (0.5, 0.7, 0.7, 0.6, 0.7), 2),
        ("log_loss", (0.7, 0.5, 0.5, 0.6, 0.5), 2),
        ("roc_auc", (0.5, 0.5, 0.5, 0.5, 0.5), 1),
    ],
)
def test_a_tie_of_score_and_loss_keeps_the_earlier_epoch_and_patience_counts_from_it(
    monkeypatch, metric, scores, selected
):
    given = pieces(epochs=5, patience=3, metric=metric)
    told = iter(scores)
    monkeypatch.setattr(type(given[3]), "selection", lambda self, metrics: next(told))
    monkeypatch.setattr(type(given[3]), "loss", lambda self, metrics: 0.5)
    trained = optimise(*given)
    assert (trained.selected_epoch, trained.last_epoch) == (selected, selected + 3)
    assert (trained.score_selected, trained.score_last) == (scores[selected - 1], scores[selected + 2])
    assert [h["best"] for h in trained.history] == [e in (1, selected) for e in range(1, selected + 4)]


def test_of_equal_scores_the_lower_loss_is_kept_and_patience_counts_from_it(monkeypatch):
    given = pieces(epochs=9, patience=3)
    given[3] = replace(given[3], also=("log_loss",))
    measured = iter([(0.5, 0.1), (0.7, 0.6), (0.7, 0.5), (0.7, 0.55), (0.6, 0.3), (0.7, 0.5)])

    def dictated(self, z):
        return dict(zip(("roc_auc", "log_loss"), next(measured), strict=True))

    monkeypatch.setattr(type(given[3]), "__call__", dictated)
    trained = optimise(*given)
    assert (trained.selected_epoch, trained.last_epoch) == (3, 6)
    assert [h["epoch"] for h in trained.history if h["best"]] == [1, 2, 3]


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    first, second = optimise(*pieces()), optimise(*pieces())
    assert same(weights(first.module), weights(second.module))
    other = pieces()
    other[5] = 1
    assert not same(weights(first.module), weights(optimise(*other).module))


def test_the_callers_random_stream_is_left_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    optimise(*pieces(epochs=1))
    assert torch.equal(torch.rand(3), expected)


def test_a_stop_request_is_honoured_at_the_next_batch_and_keeps_the_best():
    asked = []

    def should_stop():
        asked.append(1)
        return len(asked) > 12  # 5 batches an epoch: in the middle of the third

    trained = optimise(*pieces(epochs=6), should_stop=should_stop)
    assert len(asked) == 13
    assert trained.stopped
    assert trained.last_epoch == 2
    full = optimise(*pieces(epochs=6))
    assert [h["loss"] for h in trained.history] == [h["loss"] for h in full.history[:2]]
    assert trained.score_selected == max(h["score"] for h in full.history[:2])


def test_a_stop_before_the_first_epoch_keeps_nothing():
    with pytest.raises(Stopped, match="before the first epoch ended"):
        optimise(*pieces(), should_stop=lambda: True)


@pytest.mark.parametrize("bad_step", [1, 4, 8])
def test_a_loss_that_is_not_finite_is_named_within_ten_steps(bad_step):
    given = pieces(epochs=3)
    plain, steps = given[2], []

    def loss(outputs, index):
        steps.append(1)
        terms = plain(outputs, index)
        return BatchTerms(terms.total * float("nan"), terms.hard) if len(steps) == bad_step else terms

    given[2] = loss
    with pytest.raises(NonFiniteLoss) as caught:
        optimise(*given)
    assert len(steps) - bad_step < 10
    epoch, batch = (bad_step - 1) // 5 + 1, (bad_step - 1) % 5 + 1
    assert f"became nan at step {bad_step} (epoch {epoch}, batch {batch})" in str(caught.value)
    assert "learning rate" in caught.value.hint
    assert caught.value.code == "non_finite_loss"
    if bad_step <= 5:
        assert caught.value.kept is None
    else:
        assert caught.value.kept.selected_epoch == 1
        assert all(torch.isfinite(w).all() for w in given[0].state_dict().values())


def test_a_huge_learning_rate_is_reported_too():
    given = pieces(epochs=30, learning_rate=1e6, optimiser="sgd")
    with pytest.raises(NonFiniteLoss, match=r"training loss became (nan|inf) at step \d+"):
        optimise(*given)


def test_weights_that_broke_in_the_last_batch_are_found_at_validation():
    given = pieces(epochs=2)
    module, plain, calls = given[0], given[2], []

    def loss(outputs, index):
        calls.append(1)
        if len(calls) == 5:
            module.head.bias.register_hook(lambda g: g * float("nan"))
        return plain(outputs, index)

    given[2] = loss
    with pytest.raises(NonFiniteLoss, match="at step 5 "):
        optimise(*given)


def test_the_last_short_batch_counts_as_what_it_is():
    given = pieces(rows=100, epochs=1, batch_size=64)
    sizes = []

    def loss(outputs, index):
        sizes.append(len(index))
        value = outputs.logits.sum() * 0 + (1.0 if len(sizes) == 1 else 0.0)
        return BatchTerms(value, value)

    given[2] = loss
    assert optimise(*given).history[0]["loss"] == pytest.approx(0.64)
    assert sizes == [64, 36]


def test_a_single_left_over_row_joins_the_batch_before_it():
    given = pieces(rows=129, epochs=1, batch_size=64)
    plain, seen = given[2], []

    def loss(outputs, index):
        seen.append(index)
        return plain(outputs, index)

    given[2] = loss
    optimise(*given)
    assert [len(i) for i in seen] == [64, 65]
    assert sorted(torch.cat(seen).tolist()) == list(range(129))


def test_an_undefined_selection_metric_is_an_error_not_a_guess():
    given = pieces()
    given[3].y[:] = 0
    with pytest.raises(KDError, match="'roc_auc' is undefined on the 120 validation rows") as caught:
        optimise(*given)
    assert caught.value.code == "undefined_selection"


def test_empty_parts_are_refused_with_both_counts():
    empty = TrainRows(torch.zeros(0, 3), torch.zeros(4, 3))
    with pytest.raises(KDError, match="There are 0 training and 4 validation rows"):
        check_rows(empty)


def test_rows_beyond_the_budget_are_streamed_with_the_same_bits_and_said(tmp_path, monkeypatch):
    whole = optimise(*pieces())
    monkeypatch.setattr(rows, "budget_bytes", lambda device, reserved=0: 5_000)
    monkeypatch.setattr(rows, "CHUNK_BYTES", 100 * 4 * FEATURES)
    given, events = pieces(), []
    given[1] = TrainRows(mapped(tmp_path / "x.npy", given[1].x), mapped(tmp_path / "v.npy", given[1].x_validation))
    streamed = optimise(*given, notify=events.append)
    assert same(weights(streamed.module), weights(whole.module))
    assert [h["loss"] for h in streamed.history] == [h["loss"] for h in whole.history]
    assert (events[0]["kind"], events[0]["code"]) == ("warning", "rows_streamed")
    assert events[0]["message"].startswith("The encoded rows take 7.2e-06 GB, there is room for 5e-06 GB: they are")
    assert [e["kind"] for e in events[1:]] == ["epoch"] * 6
    assert not prefetching()


def test_streaming_ends_with_the_training_whatever_ends_it(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "budget_bytes", lambda device, reserved=0: 0)
    monkeypatch.setattr(rows, "CHUNK_BYTES", 1)
    given, asked = pieces(), []
    given[1] = TrainRows(mapped(tmp_path / "x.npy", given[1].x), given[1].x_validation)

    def should_stop():
        asked.append(prefetching())
        return len(asked) > 7

    assert optimise(*given, should_stop=should_stop).stopped
    assert asked[0] == 1
    assert not prefetching()

    def loss(outputs, index):
        raise ZeroDivisionError

    given[2] = loss
    with pytest.raises(ZeroDivisionError):
        optimise(*given)
    assert not prefetching()


def test_bfloat16_trains_and_the_loss_sees_float32():
    given = pieces(epochs=2, learning_rate=3e-3, precision="bfloat16")
    plain, seen = given[2], set()

    def loss(outputs, index):
        seen.add(outputs.logits.dtype)
        return plain(outputs, index)

    given[2] = loss
    trained = optimise(*given)
    assert seen == {torch.float32}
    assert trained.score_selected > 0.6
    exact = optimise(*pieces(epochs=2, learning_rate=3e-3))
    assert not same(weights(trained.module), weights(exact.module))


def test_widening_keeps_members_and_features():
    half = torch.ones(2, 3, dtype=torch.bfloat16)
    wide = Outputs(half, features=half, members=half[:, None]).each(torch.Tensor.float)
    assert {wide.logits.dtype, wide.features.dtype, wide.members.dtype} == {torch.float32}
    assert Outputs(half).each(torch.Tensor.float).members is None
