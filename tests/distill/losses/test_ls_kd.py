"""Logit standardisation: what it forgets, and why it needs three classes."""

import pytest
import torch

from kd_core.distill import LOSSES
from kd_core.distill.losses.ls_kd import LEAST, standardised
from kd_core.models import Outputs
from tests.laws.loss_cases import batch, value

LS_KD, HINTON = LOSSES.get("ls_kd"), LOSSES.get("hinton")


def test_it_is_the_plain_loss_of_rows_brought_to_mean_0_and_deviation_1():
    student, teacher, y = batch(LS_KD)
    brought = [
        Outputs((o.logits - o.logits.mean(1, keepdim=True)) / o.logits.std(1, keepdim=True)) for o in (student, teacher)
    ]
    expected = value(HINTON, {"temperature": 2.0}, *brought, y).item()
    assert value(LS_KD, {}, student, teacher, y).item() == pytest.approx(expected, rel=1e-12)


def test_the_size_of_a_row_is_forgotten():
    student, teacher, y = batch(LS_KD)
    sizes = torch.linspace(0.5, 30, len(y), dtype=torch.float64)[:, None]
    plain = value(LS_KD, {}, student, teacher, y).item()
    scaled = value(LS_KD, {}, Outputs(student.logits * sizes), Outputs(teacher.logits / sizes), y).item()
    assert scaled == pytest.approx(plain, rel=1e-9)


def test_two_classes_would_leave_the_same_pair_for_every_row():
    _, teacher, _ = batch(LS_KD, classes=2)
    found, _ = standardised(teacher.logits)
    torch.testing.assert_close(found.abs(), torch.full_like(found, 2**-0.5))
    low, high = torch.softmax(found / 2.0, dim=1).sort(dim=1).values[0].tolist()
    assert (low, high) == pytest.approx((0.33, 0.67), abs=0.005)


def test_a_row_of_equal_logits_pulls_with_bounded_strength():
    _, teacher, y = batch(LS_KD)
    z = torch.full_like(teacher.logits, 3.0).requires_grad_()
    value(LS_KD, {}, Outputs(z), teacher, y).backward()
    assert 0 < z.grad.abs().max() < 2.0 / LEAST
