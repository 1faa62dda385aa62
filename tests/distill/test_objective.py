import numpy as np
import pytest
import torch
import torch.nn.functional as F

from kd_core.distill import objective
from kd_core.distill.stack.stacked_lesson import StackedLesson
from kd_core.errors import SpecError, UnknownName
from kd_core.models import Outputs
from kd_core.specs import Choice
from kd_core.task import task_of

LABELS = np.array([0, 0, 0, 0, 1, 2, 2, 2])


def logits(rows=8, classes=3, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(rows, classes)).astype(np.float32))


def test_the_baseline_is_plain_cross_entropy():
    z = logits()
    terms = objective.make("multiclass", None, LABELS)(Outputs(z[[5, 2]]), torch.tensor([5, 2]))
    assert torch.equal(terms.total, F.cross_entropy(z[[5, 2]], torch.tensor([2, 0])))
    assert terms.total is terms.hard
    assert terms.soft is None


def test_terms_are_reported_before_their_weights():
    z, teacher = logits(), logits(seed=1)
    choice = Choice(name="hinton", settings={"alpha": 0.25, "temperature": 3.0})
    terms = objective.make("multiclass", choice, LABELS, teacher.numpy())(Outputs(z), torch.arange(8))
    expected = F.kl_div(F.log_softmax(z / 3, 1), F.softmax(teacher / 3, 1), reduction="batchmean") * 9
    assert terms.soft.item() == pytest.approx(expected.item(), rel=1e-5)
    assert terms.hard.item() == pytest.approx(F.cross_entropy(z, torch.from_numpy(LABELS)).item())
    assert terms.total.item() == pytest.approx(0.75 * terms.hard.item() + 0.25 * terms.soft.item())


def test_alpha_one_learns_from_the_teacher_alone_and_still_reports_the_hard_part():
    z, teacher = logits().requires_grad_(), logits(seed=1)
    choice = Choice(name="hinton", settings={"alpha": 1.0})
    terms = objective.make("multiclass", choice, LABELS, teacher.numpy())(Outputs(z), torch.arange(8))
    assert terms.total.item() == terms.soft.item()
    assert not terms.hard.requires_grad
    assert torch.isfinite(terms.total)
    terms.backward()
    by_teacher = z.grad.clone()
    z.grad = None
    flipped = objective.make("multiclass", choice, 2 - LABELS, teacher.numpy())(Outputs(z), torch.arange(8))
    flipped.backward()
    assert torch.equal(z.grad, by_teacher)


def test_answers_follow_the_row_not_the_place_in_the_batch():
    teacher = logits(seed=1).numpy()
    made = objective.make("multiclass", Choice(name="hinton"), LABELS, teacher)
    z, order = logits(), torch.tensor([3, 7, 0, 1, 6, 5, 2, 4])
    straight, shuffled = made(Outputs(z), torch.arange(8)), made(Outputs(z[order]), order)
    assert shuffled.total.item() == pytest.approx(straight.total.item(), rel=1e-6)


@pytest.mark.parametrize("alpha", [0.25, 1.0])
def test_rows_that_the_teacher_did_not_answer_learn_from_their_label_alone(alpha):
    z, teacher = logits(), logits(seed=1).numpy()
    choice, index = Choice(name="hinton", settings={"alpha": alpha}), torch.arange(8)
    partly = teacher.copy()
    partly[[1, 4, 6]] = np.nan
    made = objective.make("multiclass", choice, LABELS, partly)
    found, whole = (z.clone().requires_grad_() for _ in range(2))
    terms = made(Outputs(found), index)
    terms.backward()
    objective.make("multiclass", choice, LABELS, teacher)(Outputs(whole), index).backward()
    labels_only = torch.autograd.grad(F.cross_entropy(w := z.clone().requires_grad_(), torch.from_numpy(LABELS)), w)[0]
    known = torch.tensor([0, 2, 3, 5, 7])
    torch.testing.assert_close(found.grad[known], whole.grad[known])
    torch.testing.assert_close(found.grad[[1, 4, 6]], (1 - alpha) * labels_only[[1, 4, 6]])
    none = made(Outputs(z[[1, 4]].requires_grad_()), torch.tensor([1, 4]))
    assert none.soft.item() == 0 and torch.isfinite(none.total)


def test_balanced_weights_have_mean_one_over_the_rows_and_equal_mass_per_class():
    w = objective.class_weights(LABELS, 3, "balanced")
    np.testing.assert_allclose(w, [8 / 12, 8 / 3, 8 / 9], rtol=1e-6)
    assert w[LABELS].mean() == pytest.approx(1.0)
    mass = np.bincount(LABELS, weights=w[LABELS])
    np.testing.assert_allclose(mass, mass[0], rtol=1e-6)
    assert objective.class_weights(LABELS, 3, "none") is None


def test_a_weighted_row_counts_the_same_in_every_batch():
    w = objective.class_weights(LABELS, 3, "balanced")
    made, z = objective.make("multiclass", None, LABELS, class_weights=w), logits()
    whole = made(Outputs(z), torch.arange(8)).total.item()
    halves = [made(Outputs(z[i]), i).total.item() for i in (torch.arange(4), torch.arange(4, 8))]
    assert np.mean(halves) == pytest.approx(whole, rel=1e-5)


def test_both_arms_weigh_classes_alike():
    w = objective.class_weights(LABELS, 3, "balanced")
    z, rows = Outputs(logits()), torch.arange(8)
    alone = objective.make("multiclass", None, LABELS, class_weights=w)(z, rows)
    taught = objective.make("multiclass", Choice(name="hinton"), LABELS, logits(seed=1).numpy(), w)(z, rows)
    assert taught.hard.item() == pytest.approx(alone.hard.item(), rel=1e-6)


def test_members_learn_separately():
    members = torch.stack([logits(seed=1), logits(seed=2)], dim=1)
    y = torch.from_numpy(LABELS)
    found = task_of("multiclass").hard_loss()(Outputs(members.mean(1), members=members), y)
    expected = (F.cross_entropy(members[:, 0], y) + F.cross_entropy(members[:, 1], y)) / 2
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)
    y = torch.linspace(-1, 1, 8)
    found = task_of("regression").hard_loss()(Outputs(members.mean(1), members=members), y)
    assert found.item() == pytest.approx(((members[..., 0] - y[:, None]) ** 2).mean().item(), rel=1e-6)


def test_the_written_gradient_is_for_one_answer_a_row():
    z, teacher, members = logits().requires_grad_(), logits(seed=1).numpy(), torch.stack([logits(seed=2)] * 2, dim=1)
    made, rows = objective.make("multiclass", Choice(name="hinton"), LABELS, teacher), torch.arange(8)
    assert made(Outputs(z), rows).known is not None
    assert made(Outputs(members.mean(1), members=members), rows).known is None


def test_a_student_alone_hears_what_it_hears_in_a_stack():
    z, teacher, rows = logits().requires_grad_(), logits(seed=1).numpy(), torch.tensor([5, 0, 3])
    choice = Choice(name="hinton", settings={"temperature": 3.0})
    terms = objective.make("multiclass", choice, LABELS, teacher)(Outputs(z[rows]), rows)
    stack = StackedLesson("multiclass", [choice], LABELS, teacher, None, torch.float32, torch.device("cpu"))
    stacked = z.detach()[rows].T[None].contiguous()
    torch.testing.assert_close(terms.known[1], stack.gradient(stacked, rows[None])[0].T)
    torch.testing.assert_close(torch.stack([terms.hard, terms.soft]), stack.losses(stacked, rows[None])[:, 0])


def test_classes_that_weigh_differently_are_left_to_torch():
    choice, weights = Choice(name="hinton"), np.array([0.5, 2.0, 1.0], np.float32)
    made = objective.make("multiclass", choice, LABELS, logits(seed=1).numpy(), weights)
    assert made(Outputs(logits().requires_grad_()), torch.arange(8)).known is None


def test_regression_is_the_squared_error_of_scaled_targets():
    y, z = np.linspace(-1, 1, 8).astype(np.float32), logits(classes=1)
    terms = objective.make("regression", None, y)(Outputs(z), torch.arange(8))
    assert terms.total.item() == pytest.approx(((z[:, 0].numpy() - y) ** 2).mean(), rel=1e-6)


def test_a_loss_for_another_task_is_refused_with_its_reason():
    with pytest.raises(SpecError, match="'bounded_mse' works for regression, not for multiclass") as caught:
        objective.make("multiclass", Choice(name="bounded_mse"), LABELS, logits().numpy())
    assert caught.value.code == "objective_task"


def test_missing_or_too_few_answers_are_refused_with_both_counts():
    with pytest.raises(SpecError, match="The teacher answered 7 rows, the training part has 8"):
        objective.make("multiclass", Choice(name="hinton"), LABELS, logits(7).numpy())
    with pytest.raises(SpecError, match="The teacher answered 0 rows"):
        objective.make("multiclass", Choice(name="hinton"), LABELS)


def test_names_and_settings_are_checked():
    with pytest.raises(UnknownName, match="Did you mean 'hinton'"):
        objective.make("multiclass", Choice(name="hintn"), LABELS, logits().numpy())
    with pytest.raises(SpecError, match="temperature"):
        objective.make("multiclass", Choice(name="hinton", settings={"temperature": 0.1}), LABELS, logits().numpy())
