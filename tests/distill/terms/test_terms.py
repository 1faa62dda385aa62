"""Several terms: their sum, their schedules, what they need together, and what one term stays."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from kd_core.distill import LOSSES, hears_features, loss_of, objective, parts_of, placebo
from kd_core.distill.student import train_student
from kd_core.distill.terms import Schedule, SeveralSpec, soft_share
from kd_core.errors import SpecError, UnknownName
from kd_core.models import Outputs
from kd_core.registry import Situation
from kd_core.specs import SEVERAL, Choice, TrainingSpec
from tests.distill.eager import make_dataset, make_teacher, make_variant

ROWS = 12
BOTH = {"hard": 0.3, "terms": [{"name": "mse", "weight": 0.5}, {"name": "bounded_mse", "weight": 0.2}]}


def numbers(seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(ROWS, 1)).astype(np.float32))


def several(**settings):
    return Choice(name=SEVERAL, settings={**BOTH, **settings})


def made(choice, task="regression"):
    labels = numbers(2)[:, 0].numpy() if task == "regression" else np.arange(ROWS) % 3
    teacher = numbers(1).numpy() if task == "regression" else np.random.default_rng(1).normal(size=(ROWS, 3))
    return objective.make(task, choice, labels, teacher)


def test_the_total_is_the_weighted_sum_and_its_gradient_too():
    z = numbers().requires_grad_()
    lesson, index = made(several()), torch.arange(ROWS)
    terms = lesson(Outputs(z), index)
    alone = [
        LOSSES.get(n).make(Outputs(z), Outputs(numbers(1)), numbers(2)[:, 0], LOSSES.get(n).spec())
        for n in ("mse", "bounded_mse")
    ]
    expected = 0.3 * F.mse_loss(z, numbers(2)) + 0.5 * alone[0] + 0.2 * alone[1]
    assert terms.total.item() == pytest.approx(expected.item(), rel=1e-6)
    assert terms.soft.item() == pytest.approx((0.5 * alone[0] + 0.2 * alone[1]).item(), rel=1e-6)
    terms.backward()
    (slope,) = torch.autograd.grad(expected, z)
    torch.testing.assert_close(z.grad, slope)


def test_rows_that_the_teacher_did_not_answer_are_left_out_of_every_term():
    labels, teacher = numbers(2)[:, 0].numpy(), numbers(1).numpy()
    teacher[::3] = np.nan
    found = objective.make("regression", several(), labels, teacher)(Outputs(numbers()), torch.arange(ROWS))
    known = ~np.isnan(teacher[:, 0])
    mine = numbers()[known]
    ours, theirs, truth = mine[:, 0].numpy(), teacher[known][:, 0], labels[known]
    gate = (ours - truth) ** 2 > (theirs - truth) ** 2
    apart = (ours - theirs) ** 2
    assert found.soft.item() == pytest.approx((0.5 * apart.sum() + 0.2 * (apart * gate).sum()) / ROWS, rel=1e-5)


def test_one_term_of_a_lesson_is_taught_as_the_loss_alone():
    """alpha .7 is a hard weight of .3 and a weight of .7."""
    z = np.random.default_rng(5).normal(size=(ROWS, 3)).astype(np.float32)
    found = []
    for choice in (
        Choice(name="hinton", settings={"alpha": 0.7, "temperature": 3.0}),
        several(terms=[{"name": "hinton", "weight": 0.7, "settings": {"temperature": 3.0}}]),
    ):
        lesson = made(choice, "multiclass")
        lesson.written = None
        leaf = torch.tensor(z, requires_grad=True)
        lesson(Outputs(leaf), torch.arange(ROWS)).backward()
        found.append(leaf.grad)
    torch.testing.assert_close(found[0], found[1], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({}, [2, 2, 2, 2, 2]),
        ({"kind": "warm_up", "epochs": 4}, [0.5, 1, 1.5, 2, 2]),
        ({"kind": "linear", "epochs": 3, "to": 1}, [2, 1.5, 1, 1, 1]),
        ({"kind": "linear"}, [2, 1.5, 1, 0.5, 0]),
        ({"kind": "cosine", "to": 1}, [2, 1 + np.cos(np.pi / 8) ** 2, 1.5, 1 + np.sin(np.pi / 8) ** 2, 1]),
        ({"kind": "linear", "epochs": 1, "to": 1}, [2, 1, 1, 1, 1]),
    ],
)
def test_a_schedule_follows_its_formula(schedule, expected):
    found = [Schedule(**schedule).at(2.0, epoch, 5) for epoch in range(1, 6)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_weights_and_temperatures_of_an_epoch():
    term = {
        "name": "hinton",
        "weight": 2.0,
        "settings": {"temperature": 4.0},
        "schedule": {"kind": "warm_up", "epochs": 10},
        "temperature_schedule": {"kind": "linear", "epochs": 3, "to": 2.0},
    }
    spec = SeveralSpec.parse({"hard": 0.1, "terms": [term]})
    told = [spec.at(epoch, 10) for epoch in (1, 2, 3, 10)]
    assert [s.terms[0].weight for s in told] == pytest.approx([0.2, 0.4, 0.6, 2.0])
    assert [s.terms[0].settings["temperature"] for s in told] == pytest.approx([4, 3, 2, 2])
    assert all(s.hard == 0.1 for s in told)
    still = SeveralSpec.parse(BOTH)
    assert still.at(3, 10) is still


def test_an_objective_takes_the_lesson_of_the_epoch_that_begins():
    term = {"name": "mse", "weight": 1.0, "schedule": {"kind": "linear", "to": 0.0}}
    lesson, index = made(several(terms=[term])), torch.arange(ROWS)
    found = []
    for epoch in (1, 2, 3):
        lesson.begin(epoch, 3)
        found.append(lesson(Outputs(numbers()), index).soft.item())
    assert found[1] == pytest.approx(found[0] / 2, rel=1e-6) and found[2] == 0.0


def test_a_resumed_training_takes_up_the_schedule_where_it_stood(tmp_path, monkeypatch):
    from kd_core.training import checkpoint

    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "COST_FACTOR", 0)
    term = {"name": "mse", "weight": 1.0, "schedule": {"kind": "warm_up", "epochs": 4}}
    dataset = make_dataset("regression")

    def train(folder, epochs=None):
        seen = []
        return train_student(
            dataset,
            make_variant(width=8).student,
            several(terms=[term]),
            make_teacher(dataset),
            TrainingSpec(epochs=4, batch_size=64),
            3,
            notify=seen.append,
            should_stop=lambda: epochs is not None and sum(e["kind"] == "epoch" for e in seen) >= epochs,
            checkpoint=folder,
        )

    whole = train(tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint.Checkpoints, "worth_finishing", lambda self: False)
        assert train(tmp_path / "cut", epochs=2).trained.stopped
    resumed = train(tmp_path / "cut")
    for name, tensor in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor), name
    assert [h["soft"] for h in resumed.trained.history] == [h["soft"] for h in whole.trained.history]


class TestWhatSeveralNeed:
    def test_what_any_of_them_needs(self):
        entry = loss_of(several())
        assert entry.needs == () and entry.tasks == LOSSES.get("bounded_mse").tasks == ("regression",)
        assert "works for" in entry.why_not(Situation("multiclass", 3))
        assert loss_of(several()).title == "Distance to the teacher + Distance to the teacher where it helps"
        assert not hears_features(several()) and soft_share(several()) == 1.0
        assert soft_share(several(terms=[{"name": "mse", "weight": 0}])) == 0.0

    def test_one_loss_is_its_own_only_part(self):
        alone = Choice(name="hinton", settings={"alpha": 0.4})
        assert parts_of(alone) == (alone,) and loss_of(alone) is LOSSES.get("hinton")
        assert soft_share(alone) == pytest.approx(0.4)
        assert [p.name for p in parts_of(several())] == ["mse", "bounded_mse"]

    def test_a_term_that_does_not_fit_the_task_is_named(self):
        with pytest.raises(SpecError, match="The objective 'bounded_mse' works for regression"):
            made(several(), "multiclass")

    def test_the_placebo_is_that_of_terms_that_hear_soft_labels_at_one_temperature(self):
        soft = several(terms=[{"name": "hinton", "settings": {"temperature": 4.0}}])
        assert placebo.why_none("multiclass", soft) is None
        assert SeveralSpec.parse(soft.settings).temperature == 4.0
        moved = {"name": "hinton", "temperature_schedule": {"kind": "warm_up"}}
        assert placebo.why_none("multiclass", several(terms=[moved])) == "several_temperatures"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"terms": [{"name": "mse", "settings": {"alpha": 0.5}}]}, "and not among them, and no alpha"),
        ({"terms": [{"name": "mse"}, {"name": "mse"}]}, "The loss 'mse' is named twice"),
        ({"terms": []}, "at least 1"),
        ({"terms": [{"name": "mse", "weight": -1}]}, "greater than or equal to 0"),
        (
            {"terms": [{"name": "hinton", "temperature_schedule": {"kind": "linear"}}]},
            "A temperature must end between 0.5 and 20",
        ),
        (
            {"terms": [{"name": "mse", "temperature_schedule": {"kind": "warm_up"}}]},
            "The loss 'mse' has no temperature that could change",
        ),
        ({"terms": [{"name": "mse", "settings": {"margin": 2}}]}, "margin: Extra inputs are not permitted"),
    ],
)
def test_what_a_lesson_cannot_be_is_said(settings, said):
    with pytest.raises(SpecError, match=said):
        made(several(**settings))


def test_an_unknown_term_is_named_with_its_neighbour():
    with pytest.raises(UnknownName, match="no loss 'hintn'"):
        loss_of(several(terms=[{"name": "hintn"}]))


def test_what_is_at_its_default_is_not_written():
    written = json.loads(SeveralSpec.parse(BOTH).to_json())
    assert written["terms"][0] == {"name": "mse", "settings": {}, "weight": 0.5}
