"""A spread that is learned beside the number, and left behind."""

import numpy as np
import pytest
import torch

from kd_core.distill import LOSSES
from kd_core.distill.losses.gaussian_kd import GaussianSpec, module
from kd_core.distill.student import train_student
from kd_core.models import Outputs
from kd_core.registry import Situation
from kd_core.specs import Choice, TrainingSpec
from tests.distill.eager import make_dataset, make_teacher, make_variant

ENTRY = LOSSES.get("gaussian_kd")


def layer(width, variance, spread):
    """A layer that says one variance for every row."""
    made = torch.nn.Linear(width, 1).double()
    torch.nn.init.zeros_(made.weight)
    torch.nn.init.constant_(made.bias, np.log(np.expm1(variance - spread**2)))
    return made


def told(away, variance, spread=0.3):
    student = Outputs(torch.zeros(1, 1, dtype=torch.float64), torch.ones(1, 4, dtype=torch.float64))
    teacher = Outputs(torch.full((1, 1), away, dtype=torch.float64))
    return ENTRY.make(student, teacher, torch.zeros(1), GaussianSpec(spread=spread), layer(4, variance, spread)).item()


@pytest.mark.parametrize(("away", "variance"), [(0.0, 0.2), (0.7, 0.5), (2.0, 4.0)])
def test_it_is_the_divergence_of_two_normal_distributions(away, variance):
    from torch.distributions import Normal, kl_divergence

    theirs, own = Normal(torch.tensor(away).double(), 0.3), Normal(torch.tensor(0.0).double(), np.sqrt(variance))
    assert told(away, variance) == pytest.approx(kl_divergence(theirs, own).item(), rel=1e-6)


def test_it_is_least_where_the_spread_is_the_distance():
    around = {v: told(0.8, v) for v in np.linspace(0.15, 3, 400)}
    assert min(around, key=around.get) == pytest.approx(0.3**2 + 0.8**2, abs=0.01)


def test_a_start_takes_the_targets_deviation_and_never_less_than_the_teachers():
    torch.manual_seed(0)
    made = module(GaussianSpec(), Outputs(torch.zeros(1, 1), torch.zeros(1, 4)), Outputs(torch.zeros(1, 1)))
    assert torch.nn.functional.softplus(made(torch.zeros(1, 4))).item() == pytest.approx(1.0, rel=1e-5)
    student = Outputs(torch.zeros(2, 1), torch.tensor([[-1e6] * 4, [1e6] * 4]))
    found = ENTRY.make(student, Outputs(torch.ones(2, 1)), torch.zeros(2), GaussianSpec(), made)
    assert torch.isfinite(found) and found < 1e7


def test_rows_that_can_not_be_known_are_followed_less():
    """Where the spread that was learned is large, the pull to the teacher's number is small."""
    features = torch.tensor([[-5.0], [5.0]], dtype=torch.float64)
    own = torch.nn.Linear(1, 1).double()
    torch.nn.init.ones_(own.weight), torch.nn.init.zeros_(own.bias)
    z = torch.zeros(2, 1, dtype=torch.float64, requires_grad=True)
    ENTRY.make(Outputs(z, features), Outputs(torch.ones(2, 1).double()), torch.zeros(2), GaussianSpec(), own).backward()
    assert z.grad[0].abs() > 10 * z.grad[1].abs()


def test_a_student_learns_from_it_and_keeps_its_own_weights_only():
    dataset = make_dataset("regression")
    student = make_variant(width=8).student
    lesson = Choice(name="gaussian_kd", settings={"alpha": 1.0})
    told_by = make_teacher(dataset)
    trained = train_student(dataset, student, lesson, told_by, TrainingSpec(epochs=30, batch_size=64), 0)
    alone = train_student(dataset, student, None, None, TrainingSpec(epochs=30, batch_size=64), 0)
    assert trained.state_dict().keys() == alone.state_dict().keys()
    assert trained.trained.score_selected < dataset.target_std


def test_it_is_refused_for_classes_and_for_students_without_a_hidden_layer():
    assert ENTRY.why_not(Situation("binary", 2)) == "works for regression, not for binary"
    plain = Situation("regression", students_give=frozenset({"logits"}))
    assert "learns its spread" in ENTRY.why_not(plain)
    assert ENTRY.why_not(Situation("regression")) is None
