"""Multi-level distillation: each level by itself, and the mask of its rows."""

import pytest
import torch

from kd_core.distill import LOSSES
from kd_core.models import Outputs
from tests.laws.loss_cases import batch, value

MLKD, HINTON = LOSSES.get("mlkd"), LOSSES.get("hinton")
LEVELS = ("rows", "batch", "classes")


def alone(level):
    return {name: float(name == level) for name in LEVELS}


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_weighs_as_much_in_a_large_batch(level):
    student, teacher, y = batch(MLKD)
    often = [Outputs(o.logits.repeat(40, 1)) for o in (student, teacher)]
    found = value(MLKD, alone(level), *often, y.repeat(40)) / value(MLKD, alone(level), student, teacher, y)
    assert found.item() == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize(("level", "turned"), [("batch", False), ("classes", True)])
def test_a_batch_of_64_rows_is_as_published(level, turned):
    student, teacher, y = batch(MLKD, rows=64)
    p, q = (torch.softmax(o.logits / 3.0, dim=1) for o in (teacher, student))
    p, q = (p.T, q.T) if turned else (p, q)
    expected = (p @ p.T - q @ q.T).square().sum().item() / (5 if turned else 64)
    found = value(MLKD, {**alone(level), "temperatures": (3.0,)}, student, teacher, y).item()
    assert found == pytest.approx(expected, rel=1e-9)


def test_rows_are_heard_at_every_temperature():
    student, teacher, y = batch(MLKD)
    expected = sum(value(HINTON, {"temperature": t}, student, teacher, y).item() for t in (2.0, 5.0))
    chosen = {**alone("rows"), "temperatures": (2.0, 5.0)}
    assert value(MLKD, chosen, student, teacher, y).item() == pytest.approx(expected, rel=1e-9)


def test_the_mask_silences_the_rows_of_which_the_teacher_is_surest_and_no_others():
    student, teacher, y = batch(MLKD)
    gradients = {}
    for heard in (1.0, 0.5):
        z = student.logits.clone().requires_grad_()
        value(MLKD, {**alone("rows"), "heard": heard}, Outputs(z), teacher, y).backward()
        gradients[heard] = z.grad
    surest = torch.softmax(teacher.logits, dim=1).amax(1).argsort(descending=True)
    half = len(y) // 2
    assert torch.equal(gradients[0.5][surest[:half]], torch.zeros(half, 5, dtype=torch.float64))
    assert torch.equal(gradients[0.5][surest[half:]], gradients[1.0][surest[half:]])
    assert (gradients[1.0].abs().sum(1) > 0).all()


def test_classes_that_are_never_likely_together_differ_from_those_that_are():
    apart = Outputs(torch.tensor([[9.0, 0, 0], [0, 9.0, 0], [0, 0, 9.0]]).double())
    together = Outputs(torch.tensor([[9.0, 9.0, 0], [9.0, 9.0, 0], [0, 0, 9.0]]).double())
    y = torch.tensor([0, 1, 2])
    assert value(MLKD, alone("classes"), apart, together, y) > 0.1
    assert value(MLKD, alone("classes"), apart, apart, y) == 0
