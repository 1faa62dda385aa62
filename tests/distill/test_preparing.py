"""Edges of numbers: of a student by its lesson, of a baseline by the labels alone."""

import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch

from kd_core.distill import preparing
from kd_core.distill.placebo import placebo_logits
from kd_core.distill.preparing import lesson_targets, prepare
from kd_core.distill.stack import fused
from kd_core.distill.sweep import sequential
from kd_core.machine import device as devices
from kd_core.models.building import build_for
from kd_core.models.pairs.fitting import fit_curves
from kd_core.models.piecewise_edges import fit_edges
from kd_core.models.piecewise_front import PAST_ALL
from kd_core.specs import TrainingSpec
from tests.distill.eager import make_dataset, make_teacher, make_variant, some_pairs, with_columns
from tests.distill.training import train

TRAINING = TrainingSpec(epochs=2, batch_size=64)
ARCHS = ("piecewise", "additive")
WITH_PAIRS = (*ARCHS, "additive:pairs")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setattr("kd_core.models.pairs.fitting.strongest", some_pairs)
    with devices.threads(1):
        yield


def data(task="binary", rows=400):
    return with_columns(make_dataset(task, rows))


def variant(arch="piecewise", objective=None, seed=0, **settings):
    arch, _, named = arch.partition(":")
    settings |= {"arch_pairs": 4} if named else {}
    return make_variant(arch, objective=objective, seed=seed, arch_edges=8, **settings)


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def edges(state):
    return {name: t for name, t in state.items() if name.startswith("front.")}


def test_pairs_come_from_the_lesson_of_each_arm():
    dataset = data()
    arms = [variant("additive:pairs"), variant("additive:pairs", "hinton", seed=1), variant("additive:pairs", "hinton")]
    found = [r.state["front.pair_source"] for r in train(fused.train, dataset, arms, make_teacher(dataset), TRAINING)]
    assert torch.equal(found[1], found[2]) and not torch.equal(found[0], found[2])


@pytest.mark.parametrize("arch", WITH_PAIRS)
@pytest.mark.parametrize("how", [fused, sequential], ids=["stacked", "one by one"])
def test_a_baseline_is_the_same_bit_for_bit_whatever_the_teacher_says(arch, how):
    dataset = data()
    variants = [variant(arch), variant(arch, "hinton", alpha=0.0), variant(arch, "hinton")]
    one, other = (train(how.train, dataset, variants, make_teacher(dataset, s), TRAINING) for s in (1, 2))
    assert same(one[0].state, other[0].state) and same(one[1].state, other[1].state)
    assert same(edges(one[0].state), edges(one[1].state))  # alpha 0 is the baseline
    if arch == "additive:pairs":
        assert all((r.state["front.pair_low"] < PAST_ALL).any() for r in (*one, *other))
    assert not same(edges(one[2].state), edges(other[2].state))
    assert not same(edges(one[2].state), edges(one[0].state))


@pytest.mark.parametrize("arch", WITH_PAIRS)
def test_every_arm_has_the_edges_of_its_own_lesson_alone_and_in_a_stack(arch):
    dataset = data("multiclass")
    taught = variant(arch, "hinton")
    teacher = make_teacher(dataset)
    lessons = {"teacher": teacher, "placebo": placebo_logits(dataset.train.y, teacher, taught.objective, None)}
    arms = [variant(arch), taught, replace(taught, lesson="placebo"), replace(taught, seed=1)]
    together = [edges(r.state) for r in train(fused.train, dataset, arms, lessons, TRAINING)]
    apart = [edges(r.state) for r in train(sequential.train, dataset, arms, lessons, TRAINING)]
    assert all(map(same, together, apart))
    assert not any(same(together[a], together[b]) for a, b in ((0, 1), (1, 2), (0, 2)))
    assert same(together[1], together[3])  # the seed has no part in it


def test_what_is_taught_are_probabilities_or_scaled_targets_and_labels_where_nobody_answered():
    dataset = data()
    teacher = make_teacher(dataset)
    teacher[:5] = np.nan
    told, labels = lesson_targets(dataset, teacher), lesson_targets(dataset, None)
    assert told.shape == labels.shape == (400, 1) and set(np.unique(labels)) == {0.0, 1.0}
    p = torch.softmax(torch.from_numpy(teacher).double(), 1).numpy()
    assert np.array_equal(told[:5], labels[:5]) and np.allclose(told[5:, 0], p[5:, 1], rtol=0, atol=1e-15)
    many = data("multiclass")
    assert np.allclose(lesson_targets(many, make_teacher(many)).sum(1), 1)
    numbers = data("regression")
    answers = make_teacher(numbers)
    answers[3] = np.nan
    found = lesson_targets(numbers, answers)
    assert found[3] == numbers.scaled_y("train")[3] and np.array_equal(found[4:], answers[4:])


def test_a_partly_answered_lesson_trains_alike_alone_and_stacked():
    dataset = data()
    teacher = make_teacher(dataset)
    teacher[::3] = np.nan
    arms = [variant(), variant("piecewise", "hinton")]
    together, apart = (train(how.train, dataset, arms, teacher, TRAINING) for how in (fused, sequential))
    for a, b in zip(together, apart, strict=True):
        assert same(edges(a.state), edges(b.state))
        assert a.score_selected == pytest.approx(b.score_selected, abs=0.02)


def test_edges_are_found_once_for_a_lesson_whatever_the_seed_and_the_width(monkeypatch):
    found = []

    def counted(*asked):
        found.append(asked)
        return own[asked[0].__class__](*asked)

    own = {int: fit_edges, tuple: fit_curves}  # what is asked of piecewise and of additive students
    for name in ARCHS:
        facts = {**preparing.ARCHS.get(name).facts, "prepares": counted}
        monkeypatch.setitem(preparing.ARCHS._entries, name, replace(preparing.ARCHS.get(name), facts=facts))
    dataset = data()
    arms = [variant(a, o, s) for a in ARCHS for o in (None, "hinton") for s in range(3)]
    arms += [variant("piecewise", None, 0, width=5), variant("piecewise", None, 0, depth=2)]
    train(fused.train, dataset, arms, make_teacher(dataset), TRAINING)
    assert len(found) == 2 * len(ARCHS)  # labels and lesson
    again = data()  # other rows at the place of the first ones must not be taken for them
    train(fused.train, again, arms[:1], None, TRAINING)
    assert len(found) == 2 * len(ARCHS) + 1
    for key, (_, state) in preparing._kept.items():
        preparing._kept[key] = weakref.ref(np.zeros(1)), state  # gone, and others lie where they lay
    train(fused.train, again, arms[:1], None, TRAINING)
    assert len(found) == 2 * len(ARCHS) + 2


def test_networks_that_take_nothing_from_rows_are_left_alone():
    dataset = data()
    made = make_variant("mlp").student.arch
    module = build_for(dataset, made)
    before = {k: v.clone() for k, v in module.state_dict().items()}
    prepare(module, dataset, made, None)
    assert same(before, module.state_dict())


def test_what_is_kept_of_edges_is_limited(monkeypatch):
    monkeypatch.setattr(preparing, "MOST_KEPT", 2)
    monkeypatch.setattr(preparing, "_kept", {})
    dataset, arch = data(), variant().student.arch
    for seed in range(4):
        prepare(build_for(dataset, arch), dataset, arch, make_teacher(dataset, seed))
    assert len(preparing._kept) == 2
