"""Students that learn from made rows: the same steps, the teacher's part alone, stacked as one by one."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from kd_core.data.preparation import prepare
from kd_core.distill import objective as objectives
from kd_core.distill.made_lesson import MadeLesson
from kd_core.distill.stack import fused
from kd_core.distill.stack.stacked_lesson import StackedLesson
from kd_core.distill.student import train_student
from kd_core.distill.sweep import sequential
from kd_core.distill.sweep.variants import MADE, TEACHER, Variant
from kd_core.distill.sweep.work import Hooks, SweepWork
from kd_core.errors import SpecError
from kd_core.models.base import Outputs
from kd_core.specs import Choice, DatasetSpec, StudentSpec, TrainingSpec
from kd_core.task import task_of
from kd_core.teachers import made_rows
from tests.runs.tables import write_table

LESSON = {
    "binary": Choice(name="hinton", settings={"temperature": 3.0, "alpha": 0.6}),
    "multiclass": Choice(name="hinton", settings={"temperature": 3.0, "alpha": 0.6}),
    "regression": Choice(name="mse", settings={"alpha": 0.6}),
}
TRAINING = TrainingSpec(epochs=3, batch_size=32)


@pytest.fixture
def case(task, tmp_path, own_workspace):
    """A dataset, made rows, and a teacher's answers out of the air."""
    data = prepare(DatasetSpec(source=str(write_table(tmp_path / "a.csv", task, 300)), target="target", task=task))
    made, rng = made_rows.make(data, 3, 0, 2), np.random.default_rng(0)
    answers = [rng.normal(size=(n, data.num_outputs)).astype(np.float32) for n in (len(data.train), len(made.frame))]
    return data, made, *answers


def work(case, variants, training=TRAINING, **more):
    data, made, teacher, told = case
    return SweepWork.of(data, variants, {TEACHER: teacher, MADE: told}, training, made=made, **more)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("arch", ["mlp", "piecewise", "additive", "linear"])
def test_a_stack_learns_as_one_alone_does(arch, task, case):
    student = StudentSpec(name="s", arch=Choice(name=arch))
    taught = LESSON[task]
    variants = [Variant(student, taught, seed, made_rows=times) for times in (1, 2) for seed in (0, 1)]
    variants += [Variant(student, None, 0), Variant(student, taught, 0)]
    w = work(case, variants, curves=True)
    alone, together = sequential.train(w, Hooks()), fused.train(w, Hooks())
    for number in range(len(variants)):
        one, other = alone[number], together[number]
        assert (one.selected_epoch, one.last_epoch) == (other.selected_epoch, other.last_epoch)
        for a, b in zip(one.history, other.history, strict=True):
            np.testing.assert_allclose(
                [a[n] or 0 for n in ("loss", "hard", "soft", "score")],
                [b[n] or 0 for n in ("loss", "hard", "soft", "score")],
                rtol=2e-3,
                atol=2e-4,
            )
        for name, weight in one.state.items():
            torch.testing.assert_close(weight, other.state[name], rtol=2e-2, atol=2e-3)
    assert not torch.equal(*(next(iter(reversed(alone[n].state.values()))) for n in (0, 5)))


@pytest.mark.parametrize("task", ["binary"])
def test_a_baseline_is_the_same_bits_with_made_rows_around_and_without(case):
    data, made, teacher, told = case
    student = StudentSpec(name="s", arch=Choice(name="mlp"))
    alone = train_student(data, student, None, None, TRAINING, 0)
    around = train_student(data, student, None, None, TRAINING, 0, made=MadeLesson(made, told, 2))
    for name, weight in alone.state_dict().items():
        assert torch.equal(weight, around.state_dict()[name])
    taught = train_student(data, student, LESSON["binary"], teacher, TRAINING, 0, made=MadeLesson(made, told, 2))
    assert len(taught.trained.history) == len(alone.trained.history)
    rates = [[h["learning_rate"] for h in one.trained.history] for one in (taught, alone)]
    assert rates[0] == rates[1]  # the same number of steps


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_hard_loss_is_of_training_rows_and_the_soft_one_of_all(task, case):
    data, _, teacher, told = case
    labels, n = data.scaled_y("train"), len(data.train)
    loss = objectives.make(task, LESSON[task], labels, teacher, made=told)
    plain = objectives.make(
        task, LESSON[task], np.concatenate([labels, labels[:1].repeat(len(told))]), np.vstack([teacher, told])
    )
    index = torch.tensor([3, 7, 11, n + 2, n + 5, n])
    z = torch.randn(6, data.num_outputs, generator=torch.Generator().manual_seed(0), requires_grad=True)
    terms = loss(Outputs(z), index)
    hard = task_of(task).hard_loss(None)(Outputs(z[:3]), torch.as_tensor(labels[[3, 7, 11]], dtype=loss.labels.dtype))
    soft = plain(Outputs(z), index).soft
    torch.testing.assert_close(terms.hard, hard)
    torch.testing.assert_close(terms.soft, soft)
    torch.testing.assert_close(terms.total, 0.4 * hard + 0.6 * soft)
    stacked = StackedLesson(
        task,
        [LESSON[task]],
        objectives.own_labels(task, labels, told),
        np.vstack([teacher, told]),
        None,
        torch.float32,
        torch.device("cpu"),
        made=len(told),
    )
    (wanted,) = torch.autograd.grad(terms.total, z)
    found = stacked.gradient(z.detach().T[None], index[None])
    torch.testing.assert_close(found[0].T, wanted, rtol=1e-5, atol=1e-7)
    mixed = torch.tensor([3, n + 2, 7, n + 5, 11, n])  # losses are told of several steps at once
    order = [0, 3, 1, 4, 2, 5]
    told_losses = stacked.losses(z.detach()[order].T[None], mixed[None])[:, 0]
    torch.testing.assert_close(told_losses, torch.stack([hard, soft]).detach())


@pytest.mark.parametrize("task", ["regression"])
def test_to_a_loss_that_compares_with_the_truth_the_teacher_is_the_truth_of_made_rows(case):
    data, _, teacher, told = case
    lesson = Choice(name="bounded_mse", settings={"alpha": 1.0})
    loss = objectives.make("regression", lesson, data.scaled_y("train"), teacher, made=told)
    n = len(data.train)
    z = torch.zeros(4, 1)
    index = torch.tensor([0, 1, n, n + 1])
    soft = loss(Outputs(z), index).soft
    rows = objectives.make("regression", lesson, data.scaled_y("train"), teacher)(Outputs(z[:2]), index[:2]).soft
    assert float(soft) == pytest.approx(float((rows * 2 + (told[:2] ** 2).sum()) / 4), rel=1e-5)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_trees_take_them_as_further_rows(task, case):
    data, made, teacher, told = case
    student = StudentSpec(name="t", arch=Choice(name="trees", settings={"trees": 20, "leaves": 4}))
    found = [
        train_student(data, student, LESSON[task], teacher, TRAINING, 0, made=lesson).logits["validation"]
        for lesson in (None, MadeLesson(made, told, 1), MadeLesson(made, told, 1), MadeLesson(made, told, 2))
    ]
    np.testing.assert_array_equal(found[1], found[2])
    assert np.abs(found[0] - found[1]).max() > 1e-3 and np.abs(found[1] - found[3]).max() > 1e-3


@pytest.mark.parametrize("task", ["binary"])
def test_a_lesson_without_the_teacher_is_refused(case):
    data, made, teacher, told = case
    nothing = Choice(name="hinton", settings={"alpha": 0.0})
    student = StudentSpec(name="s", arch=Choice(name="mlp"))
    with pytest.raises(SpecError, match="with alpha 0 nothing is heard of the teacher"):
        train_student(data, student, nothing, teacher, TRAINING, 0, made=MadeLesson(made, told, 1))
    with pytest.raises(SpecError, match="with alpha 0 nothing is heard of the teacher"):
        fused.train(work(case, [Variant(student, nothing, 0, made_rows=1)]), Hooks())


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary"])
@pytest.mark.parametrize("train", [sequential.train, fused.train])
def test_a_training_that_was_cut_off_goes_on_with_them(train, case, tmp_path, monkeypatch):
    monkeypatch.setattr("kd_core.training.checkpoint.Checkpoints.due", lambda self: True)
    student = StudentSpec(name="s", arch=Choice(name="mlp"))
    long = TrainingSpec(epochs=200, patience=200, batch_size=32)
    w = work(case, [Variant(student, LESSON["binary"], 0, made_rows=2)], long)
    whole = train(w, Hooks())[0]
    seen = []

    def stop():
        return len(seen) > 3 or bool(seen.append(1))

    kept = replace(w, folder=tmp_path / "training")
    assert train(kept, Hooks(should_stop=stop))[0].stopped
    again = train(kept, Hooks())[0]
    for name, weight in whole.state.items():
        assert torch.equal(weight, again.state[name])
