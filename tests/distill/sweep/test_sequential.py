import math

import pytest
import torch

from kd_core.distill.student import train_student
from kd_core.distill.sweep import sequential
from kd_core.distill.sweep.variants import Variant
from kd_core.distill.sweep.work import SweepWork
from kd_core.errors import SpecError
from kd_core.models import ARCHS
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from kd_core.training.checkpoint import Checkpoints
from tests.distill.eager import with_columns
from tests.distill.test_student import STUDENT, make_dataset, objective_for, teacher
from tests.distill.training import train

TRAINING = TrainingSpec(epochs=3, batch_size=32)


def same(state, other):
    return state.keys() == other.keys() and all(torch.equal(state[k], other[k]) for k in state)


def lesson(alpha=0.5, temperature=2.0):
    return objective_for("binary", alpha=alpha, temperature=temperature)


def run(variants, training=TRAINING, data=None, **more):
    data = data or make_dataset()
    return train(sequential.train, data, variants, teacher(data), training, **more)


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


LONG = TrainingSpec(epochs=150, patience=1000, batch_size=32)  # longer than a stop request takes to be heard


def stop_in(number, events):
    """Ask for a stop in the second epoch of a training."""
    return {
        "notify": events.append,
        "should_stop": lambda: any(e["kind"] == "epoch" and e["training"] == number for e in events),
        "curves": True,
    }


@pytest.mark.slow
def test_a_stop_keeps_the_best_so_far_and_starts_nothing_more():
    told, events = [], []
    variants = [Variant(STUDENT, lesson(), seed) for seed in range(3)]
    found = run(variants, LONG, on_trained=lambda p, t: told.append(t.stopped), **stop_in(1, events))
    assert told == [False, True]
    assert found[1].stopped and 1 <= found[1].last_epoch < 150
    assert found[2] is None


def test_one_stopped_in_its_first_epoch_is_none():
    looks, data = iter([False]), make_dataset(rows=20_000)
    training = TrainingSpec(epochs=1, batch_size=8)
    assert run([Variant(STUDENT, lesson(), 0)], training, data, should_stop=lambda: next(looks, True)) == [None]


@pytest.mark.slow
def test_a_stopped_training_goes_on_where_it_was_whatever_its_position(tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoints, "due", lambda self: True)
    variants = [Variant(STUDENT, lesson(), seed) for seed in range(2)]
    whole = run(variants, LONG)
    cut = run(variants, LONG, folder=tmp_path, **stop_in(1, []))
    assert cut[1].stopped
    assert len(list(tmp_path.iterdir())) == 1
    events = []
    rest = run(variants[1:], LONG, folder=tmp_path, notify=events.append, curves=True)
    assert same(rest[0].state, whole[1].state)
    assert rest[0].seconds > 0
    assert [e["epoch"] for e in events] == list(range(cut[1].last_epoch + 1, 151))  # only the rest was left to do
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("arch", [e.name for e in ARCHS.entries() if {"table", "columns"} & {*e.facts["takes"]}])
def test_side_by_side_gives_the_bits_of_one_by_one(arch):
    """Dropout, start weights and batches come from streams of their own; networks as they are written in `archs`."""
    settings = {"size": "tiny"} if "size" in ARCHS.get(arch).spec.model_fields else {}
    if "dropout" in ARCHS.get(arch).spec.model_fields:
        settings["dropout"] = 0.3
    student = StudentSpec(name=arch, arch=Choice(name=arch, settings=settings))
    variants = [Variant(student, lesson(), seed) for seed in range(3)]
    data = with_columns(make_dataset())
    apart, together = run(variants, data=data), run(variants, data=data, lanes=3)
    assert all(same(a.state, b.state) for a, b in zip(apart, together, strict=True))


def test_an_error_in_a_lane_ends_all():
    with pytest.raises(SpecError):
        run([Variant(STUDENT, Choice(name="hinton", settings={"temperature": -1}), 0)], lanes=2)


def test_lanes_need_enough_work(monkeypatch):
    monkeypatch.setattr(sequential, "lanes_of", lambda device: 2)
    data = make_dataset()

    def lanes(arch, count):
        student = StudentSpec(name="s", arch=arch)
        return sequential.lanes_for(
            SweepWork.of(data, [Variant(student, None, s) for s in range(count)], None, TRAINING)
        )

    wide = Choice(name="mlp", settings={"size": None, "width": 1024, "depth": 2})
    assert [lanes(STUDENT.arch, 4), lanes(wide, 4), lanes(wide, 1)] == [1, 2, 1]


def test_bfloat16_is_taken_only_when_told():
    data, auto = make_dataset(), TRAINING
    exact, low = (run([Variant(STUDENT, None, 0)], auto, data, precision=p)[0] for p in ("float32", "bfloat16"))
    asked = TRAINING.model_copy(update={"precision": "bfloat16"})
    refused = run([Variant(STUDENT, None, 0)], asked, data, precision="float32")[0]
    assert not same(exact.state, low.state)
    assert same(exact.state, refused.state)
