"""Learning again: from where the weights stand, without touching what was given, with what must hold held after every step."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.compress.learning import learn, planned
from kd_core.errors import KDError
from kd_core.models.building import build_for, start_weights
from kd_core.specs import Choice, TrainingSpec
from tests.distill.test_student import make_dataset, objective_for, teacher

ARCH = Choice(name="mlp", settings={"size": "tiny"})


def stage_of(dataset, arch=ARCH):
    with start_weights(0):
        return Stage(arch, build_for(dataset, arch).eval())


def work_of(dataset, taught=True, **more):
    asked = {
        "training": TrainingSpec(epochs=6, batch_size=32),
        "metric": "rmse" if dataset.task == "regression" else "accuracy",
        "seed": 0,
    }
    objective = objective_for(dataset.task, alpha=0.5) if taught else None
    return Work(dataset, objective, teacher(dataset) if taught else None, **(asked | more))


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_it_learns_from_where_it_stands_and_leaves_what_it_was_given(task):
    dataset = make_dataset(task)
    stage, heard = stage_of(dataset), []
    before = {name: t.clone() for name, t in stage.module.state_dict().items()}
    taught = learn(stage.module, stage, work_of(dataset, notify=heard.append), share=1.0)
    again = learn(stage.module, stage, work_of(dataset), share=1.0)
    alone = learn(stage.module, stage, work_of(dataset, taught=False), share=1.0)
    assert all(torch.equal(t, before[name]) for name, t in stage.module.state_dict().items())
    assert all(torch.equal(t, again.state_dict()[name]) for name, t in taught.state_dict().items())
    assert any(not torch.equal(t, alone.state_dict()[name]) for name, t in taught.state_dict().items())
    assert not taught.training and [e["epoch"] for e in heard if e["kind"] == "epoch"] == list(range(1, len(heard) + 1))


def test_what_must_hold_holds_at_the_epoch_that_is_taken_and_whenever_it_answers():
    dataset = make_dataset()
    stage, asked = stage_of(dataset), []

    def keep(network):
        asked.append(1)
        with torch.no_grad():
            next(p for p in network.parameters() if p.dim() > 1)[:, 0] = 0.0

    found = learn(stage.module, stage, work_of(dataset), share=0.5, keep=keep)
    weight = next(p for p in found.parameters() if p.dim() > 1)
    assert len(asked) >= 3 * 8 and not weight[:, 0].any() and weight[:, 1].any()
    asked.clear()
    found(torch.from_numpy(dataset.view().parts["validation"]))
    assert not asked and not found._forward_pre_hooks


def test_epochs_before_the_first_that_counts_are_not_taken():
    dataset = make_dataset()
    stage, seen = stage_of(dataset), []
    weights = {}

    def keep(network):
        weights[len(seen)] = {n: p.detach().clone() for n, p in network.named_parameters()}

    found = learn(
        stage.module,
        stage,
        work_of(dataset),
        share=1.0,
        keep=keep,
        begin=lambda epoch, planned: seen.append(epoch),
        counted_from=6,
    )
    assert seen == [1, 2, 3, 4, 5, 6]
    assert all(
        torch.equal(p, weights[6][n]) for n, p in found.named_parameters()
    )  # judged last, so it stands as it was judged
    told = []
    learn(stage.module, stage, work_of(dataset, notify=told.append), share=1.0, counted_from=6)
    scores = [e["score"] for e in told if e["kind"] == "epoch"]
    assert all(0 <= s <= 1 for s in scores) and len(scores) == 6


def test_the_budget_is_a_share_of_one_round():
    dataset = make_dataset()
    work, stage = work_of(dataset), stage_of(dataset)
    assert [planned(work, stage, share).most_epochs for share in (0.1, 0.5, 1.0, 2.0)] == [1, 3, 6, 12]
    auto = planned(work_of(dataset, training=TrainingSpec()), stage, 0.5, 0.5)
    assert auto.rounds == 1 and auto.learning_rate == pytest.approx(1e-3)


def test_trees_and_changed_files_learn_no_more():
    dataset = make_dataset()
    trees = Choice(name="trees", settings={"size": "tiny"})
    with pytest.raises(KDError) as caught:
        learn(stage_of(dataset).module, Stage(trees, stage_of(dataset).module), work_of(dataset))
    assert caught.value.code == "compress_rounds"
    rounded = stage_of(dataset).after("fp16", file=b"rounded")
    assert "file" in STEPS.get("distill").facts["suits"](rounded, dataset.view().spec)
    with pytest.raises(KDError):
        learn(rounded.module, rounded, work_of(dataset))


def test_distill_keeps_what_was_set_to_nothing():
    dataset, entry = make_dataset(), STEPS.get("distill")
    stage = stage_of(dataset)
    weight = next(p for p in stage.module.parameters() if p.dim() > 1)
    mask = torch.from_numpy(np.random.default_rng(0).random(tuple(weight.shape)) < 0.5)
    with torch.no_grad():
        weight.masked_fill_(mask, 0.0)
    found = entry.make(entry.spec(epochs=1.0), stage, work_of(dataset))
    learned = next(p for p in found.module.parameters() if p.dim() > 1)
    assert torch.equal(learned == 0, mask) and not torch.equal(learned, weight)
    assert found.told == ({"name": "distill", "epochs": 1.0},)
