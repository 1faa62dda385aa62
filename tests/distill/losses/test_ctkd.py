"""Curriculum temperature: learned against the student, ever more strongly."""

import pytest
import torch

from kd_core.distill import LOSSES
from kd_core.distill.losses.ctkd import CTKDSpec, CurriculumTemperature
from kd_core.models import Outputs
from tests.laws.loss_cases import batch, reference

CTKD = LOSSES.get("ctkd")
STEP = 1e-5


def slope_of_theta(steps, growth=10):
    """What the temperature's own number is told after so many batches, and the true slope of the loss by it."""
    spec, (student, teacher, y) = CTKDSpec(growth=growth), batch(CTKD)
    made = CurriculumTemperature(spec).double()
    made.steps.fill_(steps)
    z = student.logits.clone().requires_grad_()
    CTKD.make(Outputs(z), teacher, y, spec, made).backward()
    told, values = made.theta.grad.item(), []
    for sign in (1, -1):
        other = CurriculumTemperature(spec).double()
        other.theta.data += sign * STEP
        values.append(reference(CTKD, {"growth": growth}, student, teacher, y, [other]))
    return told, (values[0] - values[1]) / (2 * STEP), z.grad


def test_its_gradient_is_the_slope_with_the_sign_reversed():
    told, slope, _ = slope_of_theta(steps=10)
    assert abs(slope) > 1e-4
    assert told == pytest.approx(-slope, rel=1e-6)


@pytest.mark.parametrize(("steps", "strength"), [(0, 0.0), (5, 0.5), (10, 1.0), (999, 1.0)])
def test_the_pull_grows_from_nothing_to_its_full_strength(steps, strength):
    told, slope, _ = slope_of_theta(steps)
    assert told == pytest.approx(-strength * slope, rel=1e-6, abs=1e-12)


def test_the_student_is_told_the_same_however_strong_the_pull_is():
    assert torch.equal(slope_of_theta(0)[2], slope_of_theta(10)[2])


def test_a_step_of_the_optimiser_makes_the_lesson_harder():
    spec, (student, teacher, y) = CTKDSpec(growth=1), batch(CTKD)
    made = CurriculumTemperature(spec).double()
    made.steps.fill_(1)
    before = CTKD.make(student, teacher, y, spec, made)
    before.backward()
    torch.optim.SGD(made.parameters(), lr=0.1).step()
    assert CTKD.make(student, teacher, y, spec, made) > before


def test_it_counts_its_batches_and_starts_where_its_settings_say():
    spec = CTKDSpec(lowest=2.0, span=4.0)
    made = CurriculumTemperature(spec)
    assert made().item() == pytest.approx(spec.temperature) == pytest.approx(2 + 4 * 0.7310586)
    made()
    assert made.steps.item() == 2
    assert "steps" in made.state_dict()
