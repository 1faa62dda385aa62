"""DIST: correlations with the sign that makes a better student cost less."""

import numpy as np
import pytest
import torch

from kd_core.distill import LOSSES
from kd_core.models import Outputs
from tests.laws.loss_cases import batch, value

DIST = LOSSES.get("dist")
ROWS_ALONE, COLUMNS_ALONE = {"beta": 1.0, "gamma": 0.0}, {"beta": 0.0, "gamma": 1.0}


def shares(outputs):
    return torch.softmax(outputs.logits, dim=1).numpy()


@pytest.mark.parametrize(("chosen", "turn"), [(ROWS_ALONE, False), (COLUMNS_ALONE, True)])
def test_each_part_is_one_minus_pearsons_correlation(chosen, turn):
    student, teacher, y = batch(DIST)
    p, q = (shares(o).T if turn else shares(o) for o in (teacher, student))
    expected = np.mean([1 - np.corrcoef(a, b)[0, 1] for a, b in zip(p, q, strict=True)])
    assert value(DIST, chosen, student, teacher, y).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("chosen", [ROWS_ALONE, COLUMNS_ALONE])
def test_a_step_down_its_slope_brings_the_correlation_nearer(chosen):
    student, teacher, y = batch(DIST)
    z = student.logits.clone().requires_grad_()
    before = value(DIST, chosen, Outputs(z), teacher, y)
    before.backward()
    after = value(DIST, chosen, Outputs(z.detach() - 0.5 * z.grad), teacher, y)
    worst = value(DIST, chosen, Outputs(-teacher.logits), teacher, y)
    assert after < before < worst


def test_a_class_that_never_varies_costs_its_part_and_pulls_nowhere():
    student, teacher, y = batch(DIST)
    teacher.logits[:, 2] = -1e4
    z = student.logits.clone().requires_grad_()
    found = value(DIST, COLUMNS_ALONE, Outputs(z), teacher, y)
    found.backward()
    assert torch.isfinite(found) and torch.isfinite(z.grad).all()
