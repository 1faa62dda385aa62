"""A lesson of several terms in a stack: its gradient is the sum of its terms', and it learns what it learns network by network."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from kd_core.distill import LOSSES
from kd_core.distill.stack import summed
from kd_core.distill.stack.stackable import why_apart
from kd_core.distill.stack.stacked_lesson import StackedLesson
from kd_core.distill.sweep import planner
from kd_core.distill.sweep.variants import TEACHER
from kd_core.distill.sweep.work import Hooks, SweepWork
from kd_core.distill.terms import SeveralSpec, loss_of
from kd_core.models import Outputs
from kd_core.specs import Choice, TrainingSpec
from tests.distill.eager import make_dataset, make_teacher, make_variant
from tests.distill.stack.test_stacked_lesson import CPU, NETWORKS, data

MOST = 6  # terms of a lesson
WRITTEN = [e.name for e in LOSSES.entries() if "gradient" in e.facts and not e.waits]


def several(*terms, hard=0.3, **more):
    named = [{"name": n, "weight": w, "settings": s, **more} for n, w, s in terms]
    return Choice(name="several", settings={"hard": hard, "terms": named})


def of_task(task):
    fitting = [n for n in WRITTEN if not LOSSES.get(n).tasks or task in LOSSES.get(n).tasks]
    three = [n for n in fitting if task == "multiclass" or "three_classes" not in LOSSES.get(n).needs]
    return several(*((n, 0.2 + 0.1 * k, {}) for k, n in enumerate(three[:MOST])))


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_gradient_is_what_torch_finds(task):
    y, teacher, z, index = data(task)
    whole = of_task(task)
    assert len(whole.settings["terms"]) > 2
    warm = several(("hinton", 0.5, {"temperature": 3.0}), ("mse", 0.05, {}), hard=0.7)
    for lessons in ([whole] * (NETWORKS - 1) + [None], [warm, several(("hinton", 0.2, {}), ("mse", 0.4, {}))] * 3):
        made = StackedLesson(task, lessons, y, {TEACHER: teacher}, None, torch.float64, CPU)
        found, losses = made.gradient(z, index), made.losses(z, index)
        for s, lesson in enumerate(lessons):
            own = z[s].T.clone().requires_grad_()
            labels = torch.from_numpy(y)[index[s]]
            total = hard = torch.nn.functional.cross_entropy(own, labels)
            soft = hard * 0
            if lesson is not None:
                entry = loss_of(lesson)
                spec = entry.spec.parse(lesson.settings)
                told = Outputs(torch.from_numpy(teacher).double()[index[s]])
                soft = entry.make(Outputs(own), told, labels, spec)
                total = spec.weights()[0] * hard + spec.weights()[1] * soft
            total.backward()
            torch.testing.assert_close(found[s], own.grad.T, rtol=1e-9, atol=1e-12)
            assert losses[0, s].item() == pytest.approx(hard.item(), rel=1e-9)
            if lesson is not None:  # of one that nobody teaches it is not told
                assert losses[1, s].item() == pytest.approx(soft.item(), rel=1e-9)


def test_each_terms_share_is_told():
    y, teacher, z, index = data("multiclass")
    lesson = several(("hinton", 0.5, {}), ("mse", 0.05, {}))
    made = StackedLesson("multiclass", [lesson] * 5 + [None], y, {TEACHER: teacher}, None, torch.float64, CPU)
    told = made.shares(z, index)
    assert set(told[0]) >= {"labels", "hinton", "mse"} and told[-1] is None
    assert sum(told[0][n] for n in ("labels", "hinton", "mse")) == pytest.approx(1)


def test_what_cannot_be_added_up_says_why():
    good = several(("hinton", 0.5, {}), ("mse", 0.1, {}))
    assert why_apart("mlp", good, "multiclass") is None
    moving = several(("hinton", 0.5, {}), ("mse", 0.1, {}), schedule={"kind": "warm_up"})
    assert "changes from epoch to epoch" in why_apart("mlp", moving, "multiclass")
    torch_only = several(("hinton", 0.5, {}), ("jsd", 0.1, {}))
    assert why_apart("mlp", torch_only, "multiclass").endswith("there is none of jsd")
    inner = several(("hinton", 0.5, {}), ("rkd", 0.1, {}))
    assert "the loss 'rkd' needs more of the networks" in why_apart("mlp", inner, "multiclass")
    assert "the loss 'ctkd' learns something of its own beside each student" in why_apart("mlp", "ctkd", "multiclass")
    assert summed.summed(moving) is None and summed.summed(torch_only) is None


def test_stacks_hold_lessons_of_the_same_terms_only():
    a, b = several(("hinton", 0.5, {}), ("mse", 0.1, {})), several(("hinton", 0.5, {}), ("soft_ce", 0.1, {}))
    assert summed.name_of(a) == "hinton+mse" != summed.name_of(b)
    assert summed.name_of(Choice(name="dkd")) == "dkd"


@pytest.mark.parametrize("known", [1.0, 0.6])
def test_a_what_if_of_several_terms_is_stacked_and_learns_what_it_learns_one_by_one(known):
    dataset = make_dataset("multiclass")
    teacher = make_teacher(dataset)
    teacher[np.random.default_rng(0).random(len(teacher)) >= known] = np.nan
    lesson = several(("hinton", 0.6, {"temperature": 2.0}), ("mse", 0.05, {}))
    variants = [replace(make_variant(seed=seed), objective=lesson) for seed in (0, 1)] + [make_variant(seed=0)]
    work = SweepWork.of(dataset, variants, {TEACHER: teacher}, TrainingSpec(epochs=4, batch_size=64))
    told, found = [], {}
    for mode in ("fused", "sequential"):
        found[mode] = planner.train(work, Hooks(told.append), mode)
    assert [e["mode"] for e in told if e["kind"] == "sweep"] == ["fused", "sequential"]
    for number in range(3):
        one, other = (found[mode][number] for mode in found)
        assert one.score_selected == pytest.approx(other.score_selected, abs=2e-3)
        for name, weights in one.state.items():
            torch.testing.assert_close(weights, other.state[name], rtol=2e-3, atol=2e-3)


def test_a_term_that_lays_out_classes_and_numbers_differently_is_found_again():
    lesson = several(("mse", 0.5, {}), ("hinton", 0.25, {}), hard=0.0)
    made, spec = summed.summed(lesson), SeveralSpec.parse(lesson.settings, "the objective")
    z, theirs = torch.tensor(np.random.default_rng(0).normal(size=(2, 9, 4)))
    for labels in (torch.arange(9) % 4, torch.zeros(9, dtype=torch.float64)):
        told = made.table(theirs, labels, spec).T[None]
        slope = made([spec], [1.0], lambda v: torch.tensor(v, dtype=z.dtype).view(-1, 1, 1)).slope(z.T[None], told)
        own = z.clone().requires_grad_()
        terms = [(LOSSES.get(n), w) for n, w in (("mse", 0.5), ("hinton", 0.25))]
        loss = sum(w * e.make(Outputs(own), Outputs(theirs), labels, e.spec()) for e, w in terms)
        torch.testing.assert_close(slope[0].T, torch.autograd.grad(loss, own)[0])
