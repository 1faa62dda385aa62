"""What holds for every registered distillation loss; the formulas are those that the losses bring along, in numpy float64."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from kd_core.data.view import Viewed, Views
from kd_core.distill import LOSSES, objective
from kd_core.distill.base import Gradient
from kd_core.distill.inner.hints import Hints
from kd_core.distill.inner.live import LiveTeacher
from kd_core.distill.stack import fused
from kd_core.distill.student import train_student
from kd_core.models import Outputs
from kd_core.models.building import build_for, start_weights
from kd_core.registry import Situation
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from kd_core.task import TASKS, task_of
from kd_core.training import checkpoint
from kd_core.training.checkpoint import Checkpoints
from tests.distill.eager import make_dataset, make_teacher, make_variant
from tests.laws.loss_cases import (
    GIVES,
    PICTURES,
    ROWS,
    WORDS,
    at_all_settings,
    baseline,
    batch,
    lesson,
    modules,
    reference,
    task_for,
    tensors,
    value,
    with_tensor,
)

WITH_MODULE = [e for e in LOSSES.entries() if "module" in e.facts]
ALONE = [  # a student alone can take the written gradient where that of the hard loss is written by the same class
    (e, task)
    for e in LOSSES.entries()
    for task in TASKS.names()
    if "gradient" in e.facts
    and not task_of(task).compact
    and isinstance(task_of(task).hard_loss(), e.facts["gradient"].hard_loss or ())
]
PLACES = ((0, 0), (3, -1), (7, 0))
STEP = 1e-5


def moved(outputs, field, at, by):
    """The same outputs with one number changed."""
    tensor = tensors(outputs)[field].detach().clone()
    tensor[at] += by
    return with_tensor(outputs, field, tensor)


@pytest.mark.parametrize("entry", LOSSES.entries(), ids=lambda e: e.name)
def test_every_loss_has_a_reference(entry):
    assert callable(entry.facts["reference"])
    assert issubclass(entry.facts.get("gradient", Gradient), Gradient)
    assert entry.source


@pytest.mark.parametrize("entry", LOSSES.entries(), ids=lambda e: e.name)
class TestEveryLoss:
    @at_all_settings
    def test_equals_the_formula(self, entry, settings):
        given = batch(entry)
        own = modules(entry, entry.spec.parse(settings), *given[:2])
        expected = reference(entry, settings, *given, own)
        assert expected > 0
        assert value(entry, settings, *given, own).item() == pytest.approx(expected, rel=1e-9)

    @at_all_settings
    def test_its_gradient_is_the_slope_of_the_formula(self, entry, settings):
        student, teacher, y = batch(entry)
        own = modules(entry, entry.spec.parse(settings), student, teacher)
        held, student = student, student.each(lambda t: t.clone().requires_grad_())
        value(entry, settings, student, teacher, y, own).backward()
        reached = 0
        for field, tensor in tensors(student).items():
            gradient = tensor.grad
            largest = 0.0 if gradient is None else gradient.abs().max().item()
            for at in ((*place, *(0,) * (tensor.dim() - 2)) for place in PLACES):
                up, down = (
                    reference(entry, settings, moved(student, field, at, s * STEP), teacher, y, own, held)
                    for s in (1, -1)
                )
                found = 0.0 if gradient is None else gradient[at].item()
                assert found == pytest.approx((up - down) / (2 * STEP), rel=1e-6, abs=1e-6 * largest)
                reached += found != 0
        assert reached

    @at_all_settings
    def test_its_written_gradient_is_the_slope_too(self, entry, settings):
        if "gradient" not in entry.facts:
            pytest.skip("torch differentiates it")
        (student, teacher, y), spec = batch(entry), entry.spec.parse(settings)
        written = entry.facts["gradient"](
            [spec], [0.4], lambda values: torch.tensor(values, dtype=torch.float64).view(-1, 1, 1)
        )
        z, told = (t.T[None].contiguous() for t in (student.logits, written.table(teacher.logits, y, spec)))
        given, _ = (z.clone(), told.clone()), written.slope(z, told)
        assert torch.equal(z, given[0]) and torch.equal(told, given[1])
        expected = reference(entry, settings, student, teacher, y)
        assert written.losses(z, told).item() == pytest.approx(expected, rel=1e-9)
        flat = student.logits.clone()
        flat[3], flat[4] = 0.7, flat[4] * 1e-7  # where a loss divides by next to nothing
        for answers in (student.logits, flat):
            leaf = answers.clone().requires_grad_()
            (0.4 * value(entry, settings, Outputs(leaf), teacher, y)).backward()
            assert (written.slope(answers.T[None], told)[0].T - leaf.grad).norm() <= 1e-9 * leaf.grad.norm()

    @at_all_settings
    def test_sends_no_gradient_into_the_teacher_through_the_objective(self, entry, settings):
        student, teacher, y = batch(entry, dtype=torch.float32)
        made = lesson(entry, settings, y, teacher)
        student = student.each(lambda t: t.requires_grad_())
        made(student, torch.arange(ROWS)).backward()
        own = student.logits if made.hard_weight else student.features
        assert own.grad.abs().sum() > 0
        assert not made.teacher.requires_grad
        assert made.teacher.grad is None

    @at_all_settings
    def test_weights_are_affine_in_alpha(self, entry, settings):
        if "alpha" not in entry.spec.model_fields:
            pytest.skip("has no alpha")
        ends = [entry.spec.parse({**settings, "alpha": a}).weights() for a in (0.0, 1.0)]
        assert ends[0] == (1.0, 0.0)
        assert ends[1] == (0.0, getattr(entry.spec.parse(settings), "weight", 1.0))
        for alpha in np.linspace(0, 1, 23):
            found = entry.spec.parse({**settings, "alpha": float(alpha)}).weights()
            expected = (1 - alpha) * np.array(ends[0]) + alpha * np.array(ends[1])
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)

    @at_all_settings
    def test_its_term_does_not_depend_on_alpha(self, entry, settings):
        if "alpha" not in entry.spec.model_fields:
            pytest.skip("has no alpha")
        given = batch(entry)
        own = modules(entry, entry.spec.parse(settings), *given[:2])
        found = [value(entry, {**settings, "alpha": a}, *given, own).item() for a in (0.0, 0.4, 1.0)]
        assert found[0] == found[1] == found[2] != 0

    @at_all_settings
    def test_alpha_moves_the_total_without_a_jump(self, entry, settings):
        if "alpha" not in entry.spec.model_fields:
            pytest.skip("has no alpha")
        student, teacher, y = batch(entry, dtype=torch.float32)
        totals = []
        for alpha in np.linspace(0, 1, 11):
            made = lesson(entry, {**settings, "alpha": float(alpha)}, y, teacher)
            totals.append(made(student, torch.arange(ROWS)).total.item())
        assert np.isfinite(totals).all()
        np.testing.assert_allclose(np.diff(totals), (totals[-1] - totals[0]) / 10, rtol=1e-3, atol=1e-5)

    @at_all_settings
    def test_a_lesson_without_alpha_is_the_teachers_alone(self, entry, settings):
        if "alpha" in entry.spec.model_fields:
            pytest.skip("has alpha")
        assert entry.spec.parse(settings).weights() == (0.0, 1.0)
        student, teacher, y = batch(entry, dtype=torch.float32)
        made = lesson(entry, settings, y, teacher)
        terms = made(student, torch.arange(ROWS))
        assert terms.total.item() == terms.soft.item() != 0

    @at_all_settings
    def test_alpha_zero_is_the_baseline_bit_for_bit(self, entry, settings):
        if "alpha" not in entry.spec.model_fields:
            pytest.skip("has no alpha")
        student, teacher, y = batch(entry, dtype=torch.float32)
        gradients, totals = [], []
        for made in (baseline(entry, y), lesson(entry, {**settings, "alpha": 0.0}, y, teacher)):
            z = student.logits.clone().requires_grad_()
            terms = made(replace(student, logits=z), torch.arange(ROWS))
            terms.backward()
            assert made.module is None
            gradients.append(z.grad)
            totals.append(terms.total)
        assert torch.equal(totals[0], totals[1])
        assert torch.equal(gradients[0], gradients[1])


@pytest.mark.parametrize("alpha", [0.1, 0.7, 1.0])
@pytest.mark.parametrize(("entry", "task"), ALONE, ids=lambda part: getattr(part, "name", part))
def test_a_student_alone_learns_by_the_written_gradient_what_torch_finds(entry, task, alpha):
    student, teacher, y = batch(entry, classes=4, task=task)
    choice = Choice(name=entry.name, settings={"alpha": alpha})
    made = objective.make(task, choice, y.numpy(), teacher.logits.float().numpy())
    assert made.written is entry.facts["gradient"]
    index = torch.tensor([7, 2, 2, 11, 0])
    found = []
    for written in (made.written, None):
        made.written = written
        z = student.logits[index].requires_grad_()
        terms = made(Outputs(z), index)
        assert (terms.known is None) is (written is None)
        terms.backward()
        found.append([terms.total.detach(), terms.hard.detach(), terms.soft.detach(), z.grad])
    for mine, expected in zip(*found, strict=True):
        torch.testing.assert_close(mine.double(), expected.double(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("entry", LOSSES.entries(), ids=lambda e: e.name)
def test_the_guard_gives_a_reason_for_a_task_that_does_not_fit(entry):
    for task in TASKS.names():
        positive = task_of(task).positive
        reason = entry.why_not(Situation(task, 2 if positive else 4, GIVES, students_give=GIVES, grouped=True))
        if entry.suits and task not in entry.tasks:
            assert task in reason or reason == entry.facts["because"]["task"]
        elif positive and "three_classes" in entry.needs:
            assert reason == entry.facts["because"]["three_classes"]
            assert reason.startswith("needs at least 3 classes: ")
        else:
            assert reason is None


@pytest.mark.parametrize("entry", LOSSES.entries(), ids=lambda e: e.name)
def test_needs_are_refused_with_their_reason_before_training(entry):
    if "student_features" not in entry.needs:
        pytest.skip("every student will do")
    at = Situation(task_for(entry), 4, GIVES, grouped=True)
    assert entry.why_not(at) is None
    assert "hidden layer" in entry.why_not(replace(at, students_give=frozenset({"logits"})))


def as_pictures(dataset):
    """The rows of a table as pictures of 8 x 8, a column shown as a bar."""

    def drawn(x):
        return np.repeat(
            np.clip(128 + 40 * np.pad(x, ((0, 0), (0, 2))), 0, 255).astype(np.uint8)[:, None, :, None], 8, 3
        )

    parts = {split: drawn(x) for split, x in dataset.view().parts.items()}
    return replace(dataset, views=Views({"pixels": lambda: Viewed(PICTURES, parts)}))


def as_words(dataset):
    """The rows of a table as five words, a column's number as one of its own."""
    parts = {
        split: (1 + 5 * np.arange(5) + np.clip(x[:, :5] + 2, 0, 4)).astype(np.int32)
        for split, x in dataset.view().parts.items()
    }
    return replace(dataset, views=Views({"tokens": lambda: Viewed(WORDS, parts)}))


@pytest.fixture
def saved_every_epoch(monkeypatch):
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "COST_FACTOR", 0)


@pytest.mark.parametrize("entry", WITH_MODULE, ids=lambda e: e.name)
class TestLossesWithAModule:
    def train(self, entry, folder, epochs=None):
        """Train up to an epoch, or to the end."""
        dataset, seen = make_dataset(task_for(entry)), []
        student, live = make_variant(width=8, dropout=0.1).student, None
        kind = {"live_maps": "pixels", "live_relations": "tokens"}.get(next(iter(entry.needs), ""))
        if kind:
            dataset, arch = (
                (as_pictures(dataset), "cnn") if kind == "pixels" else (as_words(dataset), "text_transformer")
            )
            student = StudentSpec(name=arch, arch=Choice(name=arch, settings={"size": None, "width": 4}))
            with start_weights(9):
                teacher = build_for(dataset, Choice(name=arch, settings={"size": "tiny"}))
            live = LiveTeacher(teacher, dataset.view(kind).parts["train"])
        wanted = {"alpha": 0.9, "hidden": 1.0}  # so that a module that is asked for alone has something to learn
        return train_student(
            dataset,
            student,
            Choice(name=entry.name, settings={n: v for n, v in wanted.items() if n in entry.spec.model_fields}),
            make_teacher(make_dataset(task_for(entry))),
            TrainingSpec(epochs=4, batch_size=64),
            3,
            notify=seen.append,
            should_stop=lambda: epochs is not None and sum(e["kind"] == "epoch" for e in seen) >= epochs,
            checkpoint=folder,
            hints=Hints(live=live)
            if live
            else (
                Hints(
                    np.random.default_rng(0).normal(size=(len(dataset.train), 5)),
                    head=np.random.default_rng(1).normal(size=(dataset.num_outputs, 6)).astype(np.float32),
                )
                if "teacher_features" in entry.needs
                else None
            ),
        )

    def tensors(self, folder):
        places = sorted(folder.glob("epoch-*"))
        work = checkpoint.json.loads((places[-1] / checkpoint.COUNTERS).read_text())["work"]
        return Checkpoints(folder, work).newest().tensors

    def test_its_module_is_trained_and_dropped(self, entry, tmp_path, saved_every_epoch):
        self.train(entry, tmp_path, epochs=1)
        first = {k: t for k, t in self.tensors(tmp_path).items() if k.startswith("beside/")}
        assert first
        done = self.train(entry, tmp_path)
        last = self.tensors(tmp_path)
        assert any(not torch.equal(last[k], t) for k, t in first.items())
        own = {f"model/{k}" for k in done.state_dict()}
        assert own == {k for k in last if k.startswith("model/")}

    def test_a_resumed_training_goes_on_with_its_module_and_optimiser(self, entry, tmp_path, saved_every_epoch):
        whole = self.train(entry, tmp_path / "whole")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(checkpoint.Checkpoints, "worth_finishing", lambda self: False)
            assert self.train(entry, tmp_path / "cut", epochs=2).trained.stopped
        resumed = self.train(entry, tmp_path / "cut")
        for name, tensor in whole.state_dict().items():
            assert torch.equal(resumed.state_dict()[name], tensor), name
        ends = [self.tensors(tmp_path / place) for place in ("whole", "cut")]
        assert all(torch.equal(ends[0][k], ends[1][k]) for k in ends[0] if not k.startswith("counters"))

    def test_its_start_weights_come_from_the_seed_alone(self, entry):
        _, teacher, y = batch(entry, dtype=torch.float32)
        before = torch.random.get_rng_state()
        made = [lesson(entry, {}, y, teacher, seed=seed).module.state_dict() for seed in (0, 0, 1)]
        assert torch.equal(torch.random.get_rng_state(), before)
        assert all(torch.equal(made[1][name], t) for name, t in made[0].items())
        drawn = [name for name, t in made[0].items() if t.numel() > 1]
        assert not drawn or any(not torch.equal(made[2][name], made[0][name]) for name in drawn)

    def test_it_is_not_stacked_and_says_why(self, entry):
        variant = make_variant(objective=entry.name)
        assert f"the loss '{entry.name}'" in fused.supports(make_dataset(task_for(entry)), variant)
