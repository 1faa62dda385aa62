"""DKD and NKD: how they hang together with the plain divergence, and with each other."""

import numpy as np
import pytest
import torch

from kd_core.distill import LOSSES
from kd_core.models import Outputs
from tests.laws.loss_cases import batch, value

DKD, NKD, HINTON = (LOSSES.get(name) for name in ("dkd", "nkd", "hinton"))


def parts(t, student, teacher, y):
    """DKD's part of the true class and its part of the others."""
    return [
        value(DKD, {"temperature": t, "target": a, "beta": b}, student, teacher, y).item() for a, b in ((1, 0), (0, 1))
    ]


def test_the_plain_divergence_is_the_target_part_plus_the_rest_as_far_as_the_teacher_leaves_it():
    student, teacher, y = batch(DKD)
    for i in range(len(y)):
        at = torch.tensor([i])
        row = student.rows(at), teacher.rows(at), y[at]
        left = 1 - torch.softmax(row[1].logits / 4, dim=1)[0, y[i]].item()
        target, rest = parts(4.0, *row)
        assert value(HINTON, {"temperature": 4.0}, *row).item() == pytest.approx(target + left * rest, rel=1e-9)


def test_a_sure_teacher_still_teaches_how_the_others_resemble_it():
    student, teacher, y = batch(DKD)
    teacher.logits[torch.arange(len(y)), y] += 60.0
    sure = parts(1.0, student, teacher, y)
    assert sure[1] > 0.1
    assert value(HINTON, {"temperature": 1.0}, student, teacher, y).item() == pytest.approx(sure[0], rel=1e-6)


def test_the_others_pull_alike_in_both():
    student, teacher, y = batch(DKD)
    found = []
    for entry, chosen in (
        (DKD, {"temperature": 2.0, "target": 0, "beta": 3.0}),
        (NKD, {"temperature": 2.0, "gamma": 3.0}),
    ):
        z = student.logits.clone().requires_grad_()
        total = value(entry, chosen, Outputs(z), teacher, y)
        if entry is NKD:
            total = total - value(entry, {"gamma": 0.0}, Outputs(z), teacher, y)
        total.backward()
        found.append(z.grad)
    torch.testing.assert_close(*found)


def test_without_the_others_a_row_of_nkd_counts_as_much_as_the_teacher_trusts_its_label():
    student, teacher, y = batch(NKD)
    trust = torch.softmax(teacher.logits, dim=1)[torch.arange(len(y)), y]
    each = torch.nn.functional.cross_entropy(student.logits, y, reduction="none")
    found = value(NKD, {"gamma": 0.0, "temperature": 3.0}, student, teacher, y).item()
    assert found == pytest.approx(float(np.mean((trust * each).numpy())), rel=1e-9)
