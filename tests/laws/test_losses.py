"""What holds for every registered distillation loss; formulas are recomputed in numpy float64."""

import numpy as np
import pytest
import torch

from kd_core.distill import LOSSES, objective
from kd_core.evaluate.soft_labels import log_soften
from kd_core.models import Outputs
from kd_core.registry import Situation
from kd_core.specs import Choice
from kd_core.task import task_of

ROWS = 12


def reference_hinton(z_s, z_t, y, spec):
    log_s, log_t = log_soften(z_s, spec.temperature), log_soften(z_t, spec.temperature)
    return spec.temperature**2 * (np.exp(log_t) * (log_t - log_s)).sum(1).mean()


def reference_mse(z_s, z_t, y, spec):
    return ((z_s - z_t) ** 2).mean()


def reference_bounded_mse(z_s, z_t, y, spec):
    own, theirs = (z_s[:, 0] - y) ** 2, (z_t[:, 0] - y) ** 2
    return np.where(own + spec.margin > theirs, (z_s[:, 0] - z_t[:, 0]) ** 2, 0.0).mean()


REFERENCES = {"hinton": reference_hinton, "mse": reference_mse, "bounded_mse": reference_bounded_mse}
CASES = [(e, s) for e in LOSSES.entries() for s in ({}, {"alpha": 0.3})]
CASES += [(LOSSES.get("hinton"), {"temperature": t}) for t in (0.5, 1.0, 4.0, 20.0)]
CASES += [(LOSSES.get("bounded_mse"), {"margin": m}) for m in (0.1, 1.0)]
LABELS = [f"{e.name}-{s}" for e, s in CASES]


def batch(entry, seed=0, dtype=torch.float64, classes=5):
    rng = np.random.default_rng(seed)
    classification = not entry.tasks or task_of(entry.tasks[0]).has_classes
    width = classes if classification else 1
    z_s, z_t = rng.normal(size=(2, ROWS, width)) * 2
    y = rng.integers(0, width, ROWS) if classification else rng.normal(size=ROWS)
    return torch.tensor(z_s, dtype=dtype), torch.tensor(z_t, dtype=dtype), torch.tensor(y)


def value(entry, settings, z_s, z_t, y):
    return entry.make(Outputs(z_s), Outputs(z_t), y, entry.spec.parse(settings))


def test_every_loss_has_a_reference():
    assert set(LOSSES.names()) == set(REFERENCES)


@pytest.mark.parametrize(("entry", "settings"), CASES, ids=LABELS)
class TestEveryLoss:
    def test_equals_the_formula(self, entry, settings):
        z_s, z_t, y = batch(entry)
        expected = REFERENCES[entry.name](z_s.numpy(), z_t.numpy(), y.numpy(), entry.spec.parse(settings))
        assert expected > 0
        assert value(entry, settings, z_s, z_t, y).item() == pytest.approx(expected, rel=2e-6)

    def test_duplicating_the_batch_changes_nothing(self, entry, settings):
        z_s, z_t, y = batch(entry)
        once = value(entry, settings, z_s, z_t, y)
        twice = value(entry, settings, z_s.repeat(2, 1), z_t.repeat(2, 1), y.repeat(2))
        assert twice.item() == pytest.approx(once.item(), rel=1e-6)

    def test_falls_to_zero_as_the_student_approaches(self, entry, settings):
        z_s, z_t, y = batch(entry)
        far = z_t + (z_s - z_t) + 3 * torch.sign(z_s - z_t)
        path = [value(entry, settings, z_t + w * (far - z_t), z_t, y).item() for w in (1.0, 0.6, 0.3, 0.1, 0.0)]
        assert path == sorted(path, reverse=True)
        assert path[0] > path[-1]
        assert path[-1] == pytest.approx(0, abs=1e-6)

    def test_finite_in_bfloat16_and_at_extreme_logits(self, entry, settings):
        z_s, z_t, y = batch(entry, dtype=torch.bfloat16)
        assert torch.isfinite(value(entry, settings, z_s, z_t, y.to(z_s.dtype) if y.is_floating_point() else y))
        z_s = (z_s.float() * 100).requires_grad_()
        found = value(entry, settings, z_s, z_t.float() * 100, y)
        found.backward()
        assert torch.isfinite(found)
        assert torch.isfinite(z_s.grad).all()

    def test_sends_no_gradient_into_the_teacher_through_the_objective(self, entry, settings):
        z_s, z_t, y = batch(entry, dtype=torch.float32)
        task = entry.tasks[-1]
        made = objective.make(task, Choice(name=entry.name, settings=settings), y.numpy(), z_t.numpy())
        terms = made(Outputs(z_s.requires_grad_()), torch.arange(ROWS))
        terms.backward()
        assert z_s.grad.abs().sum() > 0
        assert not made.teacher.requires_grad
        assert made.teacher.grad is None

    def test_alpha_moves_the_total_without_a_jump(self, entry, settings):
        z_s, z_t, y = batch(entry, dtype=torch.float32)
        totals = []
        for alpha in np.linspace(0, 1, 11):
            choice = Choice(name=entry.name, settings={**settings, "alpha": float(alpha)})
            made = objective.make(entry.tasks[-1], choice, y.numpy(), z_t.numpy())
            totals.append(made(Outputs(z_s), torch.arange(ROWS)).total.item())
        assert np.isfinite(totals).all()
        np.testing.assert_allclose(np.diff(totals), (totals[-1] - totals[0]) / 10, rtol=1e-3, atol=1e-5)

    def test_alpha_zero_is_the_baseline_bit_for_bit(self, entry, settings):
        z_s, z_t, y = batch(entry, dtype=torch.float32)
        choice = Choice(name=entry.name, settings={**settings, "alpha": 0.0})
        gradients, totals = [], []
        for lesson, teacher in ((None, None), (choice, z_t.numpy())):
            z = z_s.clone().requires_grad_()
            terms = objective.make(entry.tasks[-1], lesson, y.numpy(), teacher)(Outputs(z), torch.arange(ROWS))
            terms.backward()
            gradients.append(z.grad)
            totals.append(terms.total)
        assert torch.equal(totals[0], totals[1])
        assert torch.equal(gradients[0], gradients[1])


@pytest.mark.parametrize("name", [e.name for e in LOSSES.entries() if "temperature" in e.spec.model_fields])
class TestSoftenedLosses:
    def test_gradient_keeps_its_size_when_the_temperature_moves(self, name):
        entry = LOSSES.get(name)
        z_s, z_t, y = batch(entry)
        z_s, z_t = z_s * 0.02, z_t * 0.02  # at small logits the limit of large T holds at once
        gradients = []
        for temperature in (1.0, 2.0, 5.0, 20.0):
            z = z_s.clone().requires_grad_()
            value(entry, {"temperature": temperature}, z, z_t, y).backward()
            gradients.append(z.grad)
        for g in gradients[1:]:
            assert (g - gradients[0]).norm() < 0.05 * gradients[0].norm()

    def test_a_constant_added_to_a_row_changes_nothing(self, name):
        entry = LOSSES.get(name)
        z_s, z_t, y = batch(entry)
        shift = torch.linspace(-5, 5, ROWS, dtype=z_s.dtype)[:, None]
        plain = value(entry, {}, z_s, z_t, y).item()
        assert value(entry, {}, z_s + shift, z_t - 2 * shift, y).item() == pytest.approx(plain, rel=1e-5)
        assert value(entry, {}, z_t + shift, z_t, y).item() == pytest.approx(0, abs=1e-6)

    def test_works_with_two_classes(self, name):
        entry = LOSSES.get(name)
        z_s, z_t, y = batch(entry, classes=2)
        expected = REFERENCES[name](z_s.numpy(), z_t.numpy(), y.numpy(), entry.spec())
        assert value(entry, {}, z_s, z_t, y).item() == pytest.approx(expected, rel=2e-6)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [0.1, 0.7, 1.0])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0, 20.0])
@pytest.mark.parametrize("entry", [e for e in LOSSES.entries() if "formula" in e.facts], ids=lambda e: e.name)
class TestFormulas:
    def both(self, entry, temperature, alpha, weighted, shift=0.0):
        """Total, hard, soft and gradient of a shuffled batch by the formula and by differentiating the loss."""
        z_s, z_t, y = batch(entry, classes=4)
        spec = entry.spec.parse({"temperature": temperature, "alpha": alpha})
        weights = np.array([0.5, 2.0, 1.0, 0.7]) if weighted else None
        row_weights = torch.tensor(weights)[y] if weighted else None
        formula = entry.facts["formula"](z_t, y, row_weights, spec, z_s.device, z_s.dtype)
        index = torch.tensor([7, 2, 2, 11, 0])
        z = (z_s[index] + shift).requires_grad_()
        soft = entry.make(Outputs(z), Outputs(z_t[index]), y[index], spec)
        hard = task_of("multiclass").hard_loss(weights)(Outputs(z), y[index])
        total = (1 - alpha) * hard + alpha * soft
        total.backward()
        return formula(z, index), (total, hard, soft, z.grad)

    def test_equals_the_differentiated_loss_in_float64(self, entry, temperature, alpha, weighted):
        for found, expected in zip(*self.both(entry, temperature, alpha, weighted), strict=True):
            torch.testing.assert_close(found, expected.detach(), rtol=1e-12, atol=1e-12)
            assert not found.requires_grad

    def test_gradient_is_the_slope_of_the_total(self, entry, temperature, alpha, weighted):
        step = 1e-5
        gradient = self.both(entry, temperature, alpha, weighted)[0][3]
        for at in ((0, 0), (1, 3), (4, 2)):
            move = torch.zeros(5, 4, dtype=torch.float64)
            move[at] = step
            up, down = (self.both(entry, temperature, alpha, weighted, s * move)[0][0] for s in (1, -1))
            assert gradient[at].item() == pytest.approx(((up - down) / (2 * step)).item(), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("entry", LOSSES.entries(), ids=lambda e: e.name)
def test_the_guard_gives_a_reason_for_a_task_that_does_not_fit(entry):
    for task in ("binary", "multiclass", "regression"):
        reason = entry.why_not(Situation(task, 2 if task == "binary" else 4))
        assert (reason is None) == (task in entry.tasks)
        if reason:
            assert task in reason
