import math

import pytest
import torch

from kd_core.distill.student import train_student
from kd_core.distill.sweep import sequential
from kd_core.distill.sweep.variants import Variant
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from kd_core.training.checkpoint import Checkpoints
from tests.distill.test_student import STUDENT, make_dataset, objective_for, teacher

TRAINING = TrainingSpec(epochs=3, batch_size=32)


def same(state, other):
    return state.keys() == other.keys() and all(torch.equal(state[k], other[k]) for k in state)


def lesson(alpha=0.5, temperature=2.0):
    return objective_for("binary", alpha=alpha, temperature=temperature)


def run(variants, training=TRAINING, data=None, **more):
    data = data or make_dataset()
    return sequential.train_variants(data, variants, teacher(data), training, **more)


def test_each_is_trained_as_it_would_be_alone():
    data, told = make_dataset(), []
    variants = [Variant(STUDENT, None, 0), Variant(STUDENT, lesson(), 1, learning_rate=1e-2, weight_decay=0.5)]
    found = run(variants, data=data, on_trained=lambda position, trained: told.append((position, trained)))
    alone = train_student(data, STUDENT, None, None, TRAINING, 0)
    other = TRAINING.model_copy(update={"learning_rate": 1e-2, "weight_decay": 0.5})
    taught = train_student(data, STUDENT, variants[1].objective, teacher(data), other, 1)
    assert [position for position, _ in told] == [0, 1]
    for mine, one in zip(found, (alone, taught), strict=True):
        assert same(mine.state, one.state_dict())
        assert (mine.score_selected, mine.selected_epoch) == (one.trained.score_selected, one.trained.selected_epoch)
        assert not mine.stopped
        assert mine.diverged is None
        assert len(mine.history) == 3
    assert not same(
        found[1].state, train_student(data, STUDENT, variants[1].objective, teacher(data), TRAINING, 1).state_dict()
    )


def test_scores_name_every_position():
    events = []
    found = run([Variant(STUDENT, lesson(), seed) for seed in range(3)], notify=events.append)
    best = {}
    for event in events:
        assert event["kind"] == "scores"
        best |= event["best"]
    assert best == {str(i): trained.score_selected for i, trained in enumerate(found)}


def test_one_that_diverges_keeps_its_best_epoch_and_ends_nobody_else():
    data, told = make_dataset("regression"), []
    training = TrainingSpec(epochs=6, batch_size=32, optimiser="sgd", schedule="constant")
    rates = (1e-3, 0.5, 5.0, 1e-3)
    found = run(
        [Variant(STUDENT, None, 0, learning_rate=r) for r in rates],
        training,
        data,
        on_trained=lambda p, t: told.append(p),
    )
    assert told == [0, 1, 2, 3]
    assert [bool(t.diverged) for t in found] == [False, True, True, False]
    assert found[1].diverged.startswith("The training loss became inf at step 9 (epoch 2, batch 1)")
    assert found[1].selected_epoch == 1
    assert all(torch.isfinite(w).all() for w in found[1].module(data).parameters())
    assert (found[2].state, found[2].selected_epoch) == ({}, 0)
    assert math.isnan(found[2].score_selected)
    assert same(found[0].state, found[3].state)


def test_a_stop_keeps_the_best_so_far_and_starts_nothing_more():
    asked, told = [], []

    def should_stop():
        asked.append(1)
        return bool(told) and len(asked) > 40  # 3 epochs of 8 batches and a look before; then in the second epoch

    found = run(
        [Variant(STUDENT, lesson(), seed) for seed in range(3)],
        should_stop=should_stop,
        on_trained=lambda p, t: told.append(t.stopped),
    )
    assert told == [False, True]
    assert found[1].stopped
    assert found[1].last_epoch == 1
    assert found[2] is None


def test_one_stopped_in_its_first_epoch_is_none():
    looks = iter([False, False, True])
    assert run([Variant(STUDENT, lesson(), 0)], should_stop=lambda: next(looks, True)) == [None]


def test_a_stopped_training_goes_on_where_it_was_whatever_its_position(tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoints, "due", lambda self: True)
    variants = [Variant(STUDENT, lesson(), seed) for seed in range(2)]
    whole = run(variants)
    asked = []

    def should_stop():
        asked.append(1)
        return len(asked) > 2 + 24 + 1 + 17  # in the third epoch of the second training

    cut = run(variants, should_stop=should_stop, folder=tmp_path)
    assert cut[1].stopped
    assert len(list(tmp_path.iterdir())) == 1
    events = []
    rest = run(variants[1:], folder=tmp_path, notify=events.append)
    assert same(rest[0].state, whole[1].state)
    assert rest[0].seconds > 0
    assert [e["epoch"] for e in events] == [3]  # only the last epoch was left to do
    assert list(tmp_path.iterdir()) == []


def test_a_probe_trains_one_of_each_kind(monkeypatch):
    trained, real = [], sequential.train_student

    def watched(*args, **more):
        trained.append(args[2])
        return real(*args, **more)

    monkeypatch.setattr(sequential, "train_student", watched)
    data = make_dataset()
    variants = [Variant(STUDENT, o, s) for s in range(3) for o in (None, lesson(0.2), lesson(0.9))]
    assert sequential.probe(data, variants, teacher(data), TRAINING, steps=3) > 0
    assert [o.name if o else None for o in trained] == [None, "hinton"]


def test_a_probe_counts_every_step_and_every_training(monkeypatch):
    """A clock that ticks once a look makes each step last one second."""
    ticks = iter(range(10_000))
    monkeypatch.setattr(sequential.time, "perf_counter", lambda: float(next(ticks)))
    data = make_dataset(rows=640)
    seconds = sequential.probe(data, [Variant(STUDENT, None, s) for s in range(5)], None, TRAINING, steps=4)
    assert seconds == 5 * (20 + 1)  # 20 batches and one validation


@pytest.mark.parametrize("batch", [80, 240])
def test_a_probe_works_where_an_epoch_has_few_steps(batch):
    data = make_dataset()
    training = TrainingSpec(epochs=30, batch_size=batch)
    assert 0 < sequential.probe(data, [Variant(STUDENT, None, 0)], None, training, steps=6) < 5


def test_a_step_size_that_diverges_does_not_disturb_a_probe():
    data = make_dataset()
    linear = StudentSpec(name="linear", arch=Choice(name="linear"))
    wild = Variant(linear, None, 0, learning_rate=1e6)
    training = TrainingSpec(epochs=3, batch_size=8, optimiser="sgd")
    assert sequential.probe(data, [wild], None, training, steps=12) > 0


def test_bfloat16_is_taken_only_when_told():
    data, auto = make_dataset(), TRAINING
    exact, low = (run([Variant(STUDENT, None, 0)], auto, data, precision=p)[0] for p in ("float32", "bfloat16"))
    asked = TRAINING.model_copy(update={"precision": "bfloat16"})
    refused = run([Variant(STUDENT, None, 0)], asked, data, precision="float32")[0]
    assert not same(exact.state, low.state)
    assert same(exact.state, refused.state)
