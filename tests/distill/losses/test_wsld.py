"""Weighted soft labels: rows that the student knows better than the teacher are heard less."""

import pytest
import torch

from kd_core.distill import LOSSES
from kd_core.models import Outputs
from tests.laws.loss_cases import batch, value

WSLD, HINTON = LOSSES.get("wsld"), LOSSES.get("hinton")
Y = torch.tensor([0])
RIGHT, WRONG = torch.tensor([[6.0, 0.0, 0.0]]).double(), torch.tensor([[0.0, 6.0, 0.0]]).double()


def test_a_teacher_that_is_wrong_where_the_student_is_right_is_hardly_heard():
    kept = value(WSLD, {}, Outputs(RIGHT), Outputs(WRONG), Y) / value(
        HINTON, {"temperature": 4.0}, Outputs(RIGHT), Outputs(WRONG), Y
    )
    heard = value(WSLD, {}, Outputs(WRONG), Outputs(RIGHT), Y) / value(
        HINTON, {"temperature": 4.0}, Outputs(WRONG), Outputs(RIGHT), Y
    )
    assert kept < 0.01 < 0.99 < heard <= 1.0


def test_its_weights_send_no_gradient():
    student, teacher, y = batch(WSLD)
    gradients = []
    for entry in (WSLD, HINTON):
        z = student.logits.clone().requires_grad_()
        value(entry, {"temperature": 4.0}, Outputs(z), teacher, y).backward()
        gradients.append(z.grad)
    factors = gradients[0] / gradients[1]  # one number per row: the weight
    assert (factors - factors[:, :1]).abs().max() < 1e-6
    assert 0 < factors.min() < factors.max() <= 1
    assert factors.max() > 2 * factors.min()


def test_a_teacher_without_a_fault_gives_full_weight():
    found = value(WSLD, {}, Outputs(WRONG), Outputs(RIGHT * 1e4), Y).item()
    assert found == pytest.approx(value(HINTON, {"temperature": 4.0}, Outputs(WRONG), Outputs(RIGHT * 1e4), Y).item())
