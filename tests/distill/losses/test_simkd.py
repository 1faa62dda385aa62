"""The teacher's last layer reused: it is found again from answers, answers in the lesson, and is the student's own in the end."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from kd_core.distill import LOSSES, objective
from kd_core.distill.inner.heads import EXACT, ReusedHead, found_again, head_of
from kd_core.distill.inner.hints import Hints
from kd_core.distill.student import train_student
from kd_core.errors import SpecError
from kd_core.models.building import build_for
from kd_core.runs.plan import situation
from kd_core.specs import SEVERAL, Choice, TrainingSpec
from kd_core.training import predict
from tests.distill.eager import make_dataset, make_variant

WIDTH = 7


def teacher_of(dataset, seed=0):
    """A network of one hidden layer: its features, its last layer and its answers."""
    rng = np.random.default_rng(seed)
    x = dataset.view().parts["train"]
    features = np.maximum(x @ rng.normal(size=(x.shape[1], WIDTH)), 0).astype(np.float32)
    head = rng.normal(size=(dataset.num_outputs, WIDTH + 1)).astype(np.float32)
    return features, head, (features @ head[:, :-1].T + head[:, -1]).astype(np.float32)


def learn(dataset, choice, epochs=6, arch="mlp", **more):
    features, head, logits = teacher_of(dataset)
    hints = more.pop("hints", Hints(features, head=head))
    student = make_variant(arch, width=8, dropout=0.1).student
    return train_student(
        dataset, student, choice, logits, TrainingSpec(epochs=epochs, batch_size=32), 3, hints=hints, **more
    )


class TestTheLayerFoundAgain:
    def test_it_is_the_teachers(self):
        features, head, logits = teacher_of(make_dataset("multiclass"))
        np.testing.assert_allclose(found_again(features, logits), head, rtol=1e-3, atol=1e-4)

    def test_a_feature_that_never_varies_has_no_say(self):
        features, head, logits = teacher_of(make_dataset("multiclass"))
        still = np.column_stack([features, np.zeros(len(features), np.float32)])
        found = found_again(still, logits)
        assert found.shape == (10, WIDTH + 2) and np.abs(found[:, WIDTH]).max() < 1e-6
        np.testing.assert_allclose(found[:, :WIDTH], head[:, :-1], rtol=1e-3, atol=1e-4)

    def test_rows_that_were_not_answered_are_left_out(self):
        features, head, logits = teacher_of(make_dataset("multiclass"))
        logits[::3] = np.nan
        np.testing.assert_allclose(found_again(features, logits), head, rtol=1e-3, atol=1e-4)

    def test_answers_that_are_not_linear_have_none(self):
        features, _, logits = teacher_of(make_dataset("multiclass"))
        assert found_again(features, np.tanh(logits)) is None
        assert found_again(features[: WIDTH + 1], logits[: WIDTH + 1]) is None
        assert found_again(features[: WIDTH + 2], logits[: WIDTH + 2]) is not None
        rounding = np.random.default_rng(0).normal(size=logits.shape) * logits.std(0).max()
        assert found_again(features, logits + EXACT / 3 * rounding) is not None
        assert found_again(features, logits + EXACT * 3 * rounding) is None


class TestTheStudent:
    choice = Choice(name="simkd")

    def test_projector_and_layer_are_one_layer(self):
        torch.manual_seed(0)
        head, projector, own = torch.randn(3, 6), torch.nn.Linear(4, 5), torch.nn.Linear(4, 3)
        reused, x = ReusedHead(head, projector, own), torch.randn(9, 4)
        assert (own(x) - reused(x)).abs().max() > 0.1
        reused.settle()
        torch.testing.assert_close(own(x), reused(x), rtol=1e-5, atol=1e-6)

    @pytest.mark.slow
    @pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
    def test_it_comes_near_the_teachers_features_and_never_sees_a_label(self, task):
        dataset, seen = make_dataset(task), []
        done = learn(dataset, self.choice, epochs=40, notify=seen.append)
        soft = [e["soft"] for e in seen if e["kind"] == "epoch"]
        assert min(soft) < 0.6 * soft[0]
        parts = {**dataset.parts, "train": replace(dataset.train, y=np.roll(dataset.train.y, 1))}
        other = learn(replace(dataset, parts=parts), self.choice, epochs=40)
        assert all(torch.equal(t, other.state_dict()[n]) for n, t in done.state_dict().items())

    def test_every_epoch_is_judged_with_the_reused_layer(self):
        dataset, seen = make_dataset("multiclass"), []
        done = learn(dataset, self.choice, notify=seen.append)
        scores = [e["metrics"]["log_loss"] for e in seen if e["kind"] == "epoch"]
        module = build_for(dataset, make_variant(width=8).student.arch)
        assert done.state_dict().keys() == module.state_dict().keys()
        best = done.trained.selected_epoch
        assert done.trained.validation_selected["log_loss"] == scores[best - 1]
        kept = predict.predict(done.module, dataset.view().parts["validation"])
        np.testing.assert_array_equal(kept, done.logits["validation"])
        assert scores[-1] < scores[0] and all(e["soft"] == e["loss"] for e in seen if e["kind"] == "epoch")

    def test_beside_labels_they_reach_the_projector_and_not_the_layer_that_is_replaced(self):
        dataset = make_dataset("multiclass")
        choice = Choice(name=SEVERAL, settings={"hard": 1.0, "terms": [{"name": "simkd"}]})
        features, head, logits = teacher_of(dataset)
        made = objective.make("multiclass", choice, dataset.train.y, logits, hints=Hints(features, head=head))
        module = build_for(dataset, make_variant(width=8).student.arch)
        made.own(module, dataset.view().spec, 0)
        made.begin(1, 2)
        x = torch.from_numpy(dataset.view().parts["train"][:16])
        terms = made(module(x), torch.arange(16))
        assert set(terms.shares) == {"labels", "simkd"} and all(v > 0 for v in terms.shares.values())
        made.module["simkd"].zero_grad()
        terms.hard.backward()
        assert made.module["simkd"].weight.grad.abs().sum() > 0 and module.head.weight.grad is None

    def test_each_row_gets_anothers_features_as_a_placebo_and_the_layer_stays(self):
        dataset = make_dataset("multiclass")
        features, head, _ = teacher_of(dataset)
        hints = Hints(features, head=head)
        assert np.array_equal(hints.shuffled(0).head, head)
        assert Hints.of(hints.tables()).gives() == {"features", "one_basis", "head"}
        ours, hollow = (
            learn(dataset, self.choice, epochs=20, hints=h).trained.validation_selected["log_loss"]
            for h in (hints, hints.shuffled(1))
        )
        assert ours != hollow


class TestTheGuard:
    entry = LOSSES.get("simkd")

    def test_who_has_no_linear_last_layer_is_refused_in_words(self):
        def why_not(teacher, student="mlp", folds=1):
            return self.entry.why_not(situation("binary", 2, teacher, students=(student,), folds=folds))

        assert why_not("mlp") is None
        assert "1 fold gives one" in why_not("mlp", folds=5)
        assert "not every teacher has one" in why_not("tabm")
        assert "whose last layer is linear" in why_not("mlp", "tabm")
        assert "inner features" in why_not("random_forest")
        probe = Choice(name="pretrained", settings={"mode": "probe"})
        assert "networks of several folds have one each" in why_not(probe, folds=5) and why_not(probe) is None

    def test_a_teacher_whose_answers_are_not_linear_is_refused_before_training(self):
        dataset = make_dataset("multiclass")
        features, _, _ = teacher_of(dataset)
        with pytest.raises(SpecError, match="needs the linear last layer of one network"):
            learn(dataset, Choice(name="simkd"), hints=Hints(features))

    def test_alpha_is_unknown_to_it(self):
        with pytest.raises(SpecError, match="alpha"):
            self.entry.spec.parse({"alpha": 0.5})


def test_a_network_without_such_a_layer_has_none():
    dataset = make_dataset("multiclass")
    x = torch.from_numpy(dataset.view().parts["train"][:2])
    assert head_of(build_for(dataset, Choice(name="tabm")), x) is None
    module = build_for(dataset, Choice(name="mlp", settings={"dropout": 0.5})).train()
    assert head_of(module, x) is module.head and module.training
