"""The lesson of a student that learns by a procedure of its own, and what it can't be taught."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import softmax

from kd_core.distill import objective, rounds
from kd_core.distill.base import LOSSES, LossSpec
from kd_core.distill.rounds import FLATTEST, Slopes, learn
from kd_core.distill.stack.stackable import why_apart
from kd_core.distill.student import scoring, train_student
from kd_core.distill.terms import SEVERAL, loss_of
from kd_core.errors import SpecError
from kd_core.models.base import Outputs
from kd_core.models.tree_ensemble import Tree, TreeEnsemble
from kd_core.registry import Situation
from kd_core.runs import estimate, plan
from kd_core.specs import Choice, StudentSpec, SweepSpec, TrainingSpec
from kd_core.task import task_of
from kd_core.training.meter import BatchTerms, NonFiniteLoss
from tests.runs.tables import small_spec
from tests.teachers.tables import dataset

TREES = StudentSpec(name="few", arch=Choice(name="trees", settings={"size": "tiny"}))


def test_slopes_are_those_of_the_formula():
    rng = np.random.default_rng(0)
    z, teacher, y = (rng.standard_normal((50, 4)).astype(np.float32) for _ in range(2)), None, rng.integers(0, 4, 50)
    z, teacher = z
    teacher[::5] = np.nan
    alpha, hot = 0.3, 3.0
    lesson = Choice(name="hinton", settings={"alpha": alpha, "temperature": hot})
    weights = np.array([1.0, 2.0, 0.5, 1.0], np.float32)
    gradient, curvature = Slopes(objective.make("multiclass", lesson, y, teacher, weights))(z)
    p, q, told, w = softmax(z, 1), softmax(z / hot, 1), softmax(teacher / hot, 1), weights[y][:, None]
    known = ~np.isnan(teacher[:, :1])
    # T² KL has the slope T (q - p_teacher) and the curvature q (1 - q).
    want = (1 - alpha) * w * (p - np.eye(4)[y]) + alpha * np.where(known, hot * (q - told), 0)
    bent = (1 - alpha) * w * p * (1 - p) + alpha * np.where(known, q * (1 - q), 0)
    np.testing.assert_allclose(gradient, want, atol=2e-6)
    np.testing.assert_allclose(curvature, bent, atol=2e-6)
    later = Slopes(objective.make("multiclass", lesson, y, teacher, weights))(z, 3)
    assert np.array_equal(later[0], gradient[:, 3:]) and np.array_equal(later[1], curvature[:, 3:])


def test_slopes_of_numbers_and_where_a_loss_is_flat():
    z, y = np.array([[0.0], [2.0], [1.0]], np.float32), np.array([1.0, 1.0, 1.0], np.float32)
    teacher = np.array([[3.0], [1.5], [9.0]], np.float32)
    slopes = Slopes(objective.make("regression", Choice(name="mse", settings={"alpha": 0.25}), y, teacher))
    gradient, curvature = slopes(z)
    np.testing.assert_allclose(gradient, 2 * (z - (0.75 * y[:, None] + 0.25 * teacher)), atol=1e-6)
    np.testing.assert_allclose(curvature, 2.0, atol=1e-6)
    # Student 3 is right already: a bounded loss with the whole lesson has no slope there, nor a curvature.
    gate = Slopes(objective.make("regression", Choice(name="bounded_mse", settings={"alpha": 1.0}), y, teacher))(z)
    assert gate[0][2, 0] == 0 and gate[1][2, 0] == np.float32(FLATTEST)


class Steps:
    """A procedure of three answers, the second of them best."""

    most = 5

    def __init__(self, data, values=(0.0, 1.0, 0.5), learns=True):
        self.data, self.values, self.learns, self.taken, self.kept = data, values, learns, 0, None

    def step(self, pull):
        if not self.learns or self.taken == len(self.values):
            return False
        self.taken += 1
        return True

    def answers(self):
        value = self.values[self.taken - 1] if self.taken else 0.0
        own = [self.data.scaled_y(split) for split in ("train", "validation")]
        return tuple((value * y[:, None]).astype(np.float32) for y in own)

    def fill(self, module, rounds):
        self.kept = rounds


def taught(steps, should_stop=lambda: False):
    data, module = steps.data, TreeEnsemble(4, 5, 2, 1)
    loss = objective.make("regression", None, data.scaled_y("train"))
    return learn(module, steps, loss, scoring(data, None), lambda event: None, should_stop)


def test_the_best_round_is_kept_and_the_end_of_learning_ends_it():
    steps = Steps(dataset("regression"))
    found = taught(steps)
    assert (found.selected_epoch, found.last_epoch, steps.kept, found.stopped) == (2, 3, 2, False)
    assert [h["best"] for h in found.history] == [True, True, False]


def test_nothing_to_learn_is_one_answer_for_all_rows():
    steps = Steps(dataset("regression"), learns=False)
    found = taught(steps)
    assert (found.selected_epoch, found.last_epoch, steps.kept) == (1, 1, 1)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("rows", [12, 30])
def test_trees_that_can_divide_nothing_answer_as_suits_all_rows(rows, task):
    small = dataset(task, rows=rows)  # fewer than two leaves need; of 12 LightGBM keeps no column
    z = train_student(small, TREES, None, None, TrainingSpec(), 0).test_logits()
    want = task_of(task).chance(small.scaled_y("train"), small.num_outputs)
    np.testing.assert_allclose(z - z[:, :1], np.tile(want - want[0], (len(z), 1)), atol=1e-6)
    assert task != "regression" or np.allclose(z, want, atol=1e-6)


def test_a_loss_without_end_is_named_with_its_round():
    with pytest.raises(NonFiniteLoss, match="became inf at step 2"):
        taught(Steps(dataset("regression"), values=(0.0, 1e30)))


def test_a_loss_with_a_learning_part_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(LOSSES, "_entries", dict(LOSSES._entries))
    made = LOSSES.register(
        "projected", title="Projected", spec=LossSpec, module=lambda spec, a, b: torch.nn.Linear(1, 1)
    )
    made(lambda student, teacher, labels, spec, module: student.logits.sum())
    lesson, data = Choice(name="projected"), dataset("binary")
    with pytest.raises(SpecError, match="'projected' has a part that learns beside the student by gradient descent"):
        train_student(data, TREES, lesson, np.zeros((200, 2), np.float32), TrainingSpec(), 0)
    entry = LOSSES.get("projected")
    assert entry.why_not(Situation("binary")) is None
    assert "a procedure of its own" in entry.why_not(plan.situation("binary", 2, students=["mlp", "trees"]))
    assert LOSSES.get("hinton").why_not(plan.situation("binary", 2, students=["trees"])) is None


class Waves:
    """A loss that curves downwards at 0, as losses that are not convex do in places."""

    labels, written, groups = torch.zeros(3), None, None

    def __call__(self, outputs, index):
        found = outputs.logits.cos().mean()
        return BatchTerms(found, found)


def test_where_a_loss_curves_downwards_the_step_is_as_long_as_upwards():
    z = np.array([[0.1], [3.0], [-0.5]], np.float32)
    gradient, curvature = Slopes(Waves())(z)
    np.testing.assert_allclose(gradient, -np.sin(z), rtol=1e-5)
    np.testing.assert_allclose(curvature, np.abs(np.cos(z)), rtol=1e-5)


COMPARING = [
    e for e in LOSSES.entries() if "doubled" in e.facts and (e.suits is None or e.suits(task_of("multiclass")))
]


@pytest.mark.parametrize("entry", COMPARING, ids=lambda e: e.name)
def test_a_loss_that_compares_rows_is_refused_in_words(entry):
    at = Situation("multiclass", 4, frozenset({"logits", "features", "one_basis"}), by_rounds=True)
    assert "compares the rows of a batch with each other" in entry.why_not(at) or "module" in entry.facts
    assert entry.why_not(replace(at, by_rounds=False)) is None


def test_a_lesson_with_a_term_that_compares_rows_is_refused_too():
    several = {"terms": [{"name": "hinton"}, {"name": "dist"}]}
    entry = loss_of(Choice(name=SEVERAL, settings=several))
    assert "compares the rows" in entry.why_not(Situation("multiclass", 4, by_rounds=True))
    assert entry.why_not(Situation("multiclass", 4)) is None


@pytest.mark.parametrize("entry", [e for e in LOSSES.entries() if e.facts.get("row_mean")], ids=lambda e: e.name)
def test_trees_learn_by_every_loss_that_takes_rows_by_themselves(entry):
    task = "regression" if entry.suits and not entry.suits(task_of("multiclass")) else "multiclass"
    if entry.why_not(Situation(task, 10, by_rounds=True)) or "teacher_features" in entry.needs:
        pytest.skip("not offered here")
    data = dataset(task, rows=400)
    z = 3 * data.view().parts["train"][:, : data.num_outputs]
    z = np.pad(z, ((0, 0), (0, data.num_outputs - z.shape[1])))  # what a tree can copy at once
    lesson = Choice(name=entry.name, settings={"alpha": 1.0})
    history = train_student(data, TREES, lesson, z, TrainingSpec(epochs=12), 0).trained.history
    after = [row["soft"] for row in history]
    assert after[-1] - min(after) < 0.2 * (after[0] - min(after))
    assert after[-1] < 0.9 * after[0]


def test_it_is_not_stacked_and_has_no_step_size(tmp_path):
    assert "learns by a procedure of its own" in why_apart("trees", None, "binary")
    sweep = SweepSpec(learning_rate=(0.001, 0.01))
    spec = small_spec(tmp_path / "t.csv").model_copy(update={"students": (TREES,), "sweep": sweep})
    said = {p.code: p.message for p in plan.check(spec, "binary", 2)}
    assert "'trees' of student 'few' learns by a procedure of its own: it has no step size" in said["no_steps"]
    alpha = spec.model_copy(update={"sweep": SweepSpec(alpha=(0.0, 0.5))})
    assert "no_steps" not in {p.code for p in plan.check(alpha, "binary", 2)}


def test_its_seconds_are_foreseen_by_its_own_rule(tmp_path):
    from kd_core.data.input_spec import table_inputs

    spec = small_spec(tmp_path / "t.csv").model_copy(update={"students": (TREES,)})

    def seconds(**training):
        changed = spec.model_copy(update={"training": TrainingSpec(seeds=2, **training)})
        return estimate.foresee(changed, 10_000, {"table": table_inputs(20)}, 2).student_seconds

    assert 0.1 < seconds() < 10
    assert seconds(epochs=3) == seconds(epochs=300)  # epochs are not its own


def test_trees_by_hand_are_kept_as_they_are():
    stump = Tree(*(np.array(v) for v in ([0], [0.5], [True], [-1], [-2], [1.0, 2.0])))
    module = TreeEnsemble(1, 1, 2, 1).eval()
    module.fill([stump])
    assert module(torch.tensor([[0.5], [0.6], [float("nan")]])).logits.flatten().tolist() == [1, 2, 1]


@pytest.mark.parametrize("most", [40, 3])
def test_rows_of_a_group_are_derived_one_by_one(monkeypatch, most):
    """Against the whole matrix of second derivatives; where several of a group are taken together, what they share is subtracted."""
    monkeypatch.setattr(rounds, "PROBES", most)
    rng = np.random.default_rng(0)
    groups, y = rng.integers(0, 6, 40), rng.integers(0, 4, 40).astype(np.float32)
    z = rng.normal(size=(40, 1)).astype(np.float32)
    loss = objective.make("ranking", None, y, groups=groups)
    gradient, curvature = rounds.Slopes(loss)(z)
    at = torch.arange(40)
    whole = torch.autograd.functional.hessian(
        lambda v: 40 * loss(Outputs(v[:, None]), at).total, torch.from_numpy(z[:, 0])
    )
    place = np.array([(groups[:i] == groups[i]).sum() % most for i in range(40)])
    together = (groups[:, None] == groups) & (place[:, None] == place)
    wanted = (whole.numpy() * together).sum(1)
    np.testing.assert_allclose(curvature[:, 0], np.maximum(wanted, rounds.FLATTEST), rtol=1e-4, atol=1e-5)
    assert (curvature > 1e-3).mean() > 0.9 and np.isfinite(gradient).all()
    assert (most > 3) == np.allclose(wanted, np.diag(whole), rtol=1e-4)
