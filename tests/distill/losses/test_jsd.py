"""Generalised Jensen-Shannon: symmetric in the middle, the two divergences at the ends, no jump between."""

import math

import pytest
import torch

from kd_core.distill import LOSSES
from tests.laws.loss_cases import batch, value

JSD, HINTON = LOSSES.get("jsd"), LOSSES.get("hinton")


def test_its_ends_are_the_divergence_and_the_reverse_one():
    student, teacher, y = batch(JSD)
    forward = value(HINTON, {"temperature": 2.0}, student, teacher, y).item()
    reverse = value(HINTON, {"temperature": 2.0}, teacher, student, y).item()
    assert value(JSD, {"beta": 0.0}, student, teacher, y).item() == pytest.approx(forward, rel=1e-12)
    assert value(JSD, {"beta": 1.0}, student, teacher, y).item() == pytest.approx(reverse, rel=1e-12)
    assert forward != pytest.approx(reverse, rel=1e-2)


@pytest.mark.parametrize(("near", "end"), [(0.002, 0.0), (0.998, 1.0)])
def test_it_comes_to_its_ends_without_a_jump(near, end):
    student, teacher, y = batch(JSD)
    found = [value(JSD, {"beta": b}, student, teacher, y).item() for b in (near, end)]
    assert found[0] == pytest.approx(found[1], rel=0.05)


def test_the_middle_is_symmetric_and_bounded():
    student, teacher, y = batch(JSD)
    ways = [value(JSD, {"temperature": 1.0}, *pair, y).item() for pair in ((student, teacher), (teacher, student))]
    assert ways[0] == pytest.approx(ways[1], rel=1e-12)
    assert ways[0] < 4 * math.log(2)
    student.logits.mul_(1e3), teacher.logits.mul_(-1e3)
    assert value(JSD, {"temperature": 1.0}, student, teacher, y).item() <= 4 * math.log(2) + 1e-9
    assert torch.isfinite(student.logits).all()
