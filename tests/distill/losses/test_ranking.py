"""Losses of rankings: rows of a group alone are compared, never those of two groups."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from kd_core.distill import LOSSES, objective
from kd_core.registry import Situation
from kd_core.specs import Choice
from tests.laws.loss_cases import ROWS, batch, reference, registered_tasks, value

OF_GROUPS = [LOSSES.get("listwise_kd"), LOSSES.get("margin_mse")]
GROUPS = torch.tensor([7, 3, 3, 7, 90, 3, 7, 7, 90, 3, 5, 7])  # unsorted, in no order, one of a single row

each = pytest.mark.parametrize("entry", OF_GROUPS, ids=lambda e: e.name)


def grouped(entry, groups=GROUPS):
    student, teacher, y = batch(entry)
    return student, replace(teacher, group=groups), y


@each
def test_equals_the_formula_within_groups(entry):
    given = grouped(entry)
    found = value(entry, {}, *given).item()
    assert found == pytest.approx(reference(entry, {}, *given), rel=1e-9)
    assert found != pytest.approx(value(entry, {}, *batch(entry)).item(), rel=1e-3)  # all as one group


@each
def test_a_number_added_to_one_group_changes_nothing(entry):
    student, teacher, y = grouped(entry)
    moved = replace(student, logits=student.logits + 3 * (GROUPS[:, None] == 7))
    assert value(entry, {}, moved, teacher, y).item() == pytest.approx(
        value(entry, {}, student, teacher, y).item(), rel=1e-9
    )
    one = student.logits.clone()
    one[0] += 3
    assert value(entry, {}, replace(student, logits=one), teacher, y).item() != pytest.approx(
        value(entry, {}, student, teacher, y).item(), rel=1e-3
    )


@each
def test_rows_that_stand_alone_give_nothing(entry):
    student, teacher, y = grouped(entry, torch.arange(ROWS))
    z = student.logits.clone().requires_grad_()
    found = value(entry, {}, replace(student, logits=z), teacher, y)
    found.backward()
    assert found.item() == pytest.approx(0, abs=1e-12) and z.grad.abs().max() < 1e-12


@each
def test_its_gradient_is_that_of_the_formula_within_groups(entry):
    student, teacher, y = grouped(entry)
    z = student.logits.clone().requires_grad_()
    value(entry, {}, replace(student, logits=z), teacher, y).backward()
    for row in range(ROWS):
        ends = []
        for by in (1e-5, -1e-5):
            moved = student.logits.clone()
            moved[row] += by
            ends.append(reference(entry, {}, replace(student, logits=moved), teacher, y))
        assert z.grad[row].item() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6, abs=1e-9)


def test_margins_are_those_of_rows_whose_labels_differ():
    entry = LOSSES.get("margin_mse")
    student, teacher, y = grouped(entry)
    same = torch.where(GROUPS == 7, 1.0, y)  # in group 7 nobody is better
    away = student.logits + 5 * (GROUPS[:, None] == 7) * torch.randn(
        ROWS, 1, generator=torch.Generator().manual_seed(0)
    )
    assert value(entry, {}, replace(student, logits=away), teacher, same) == value(entry, {}, student, teacher, same)
    assert value(entry, {}, student, teacher, torch.zeros(ROWS)).item() == 0


@each
def test_a_lesson_hands_on_which_rows_belong_together(entry):
    student, teacher, y = batch(entry, dtype=torch.float32)
    index = torch.tensor([3, 0, 7, 6, 1, 2])  # groups 7, 7, 7, 7, 3, 3
    with registered_tasks():
        asked = Choice(name=entry.name, settings={"alpha": 1.0})
        made = objective.make("ranked", asked, y.numpy(), teacher.logits.numpy(), groups=GROUPS.numpy())
    made.hard = lambda outputs, labels, groups: outputs.logits.sum() * 0
    found = made(student.rows(index), index).soft.item()
    within = replace(teacher.rows(index), group=GROUPS[index])
    assert found == pytest.approx(value(entry, {}, student.rows(index), within, y[index]).item(), rel=1e-5)
    assert found != pytest.approx(value(entry, {}, student.rows(index), teacher.rows(index), y[index]).item(), rel=1e-3)


@each
def test_it_says_where_it_works(entry):
    for task, classes in (("binary", 2), ("multiclass", 5), ("regression", 0)):
        assert entry.why_not(Situation(task, classes, grouped=True)).startswith("works where rows are ranked")
    with registered_tasks():
        assert entry.why_not(Situation("ranked", grouped=True)) is None


def test_high_scores_stay_finite_within_groups():
    entry = LOSSES.get("listwise_kd")
    student, teacher, y = grouped(entry)
    wide = [replace(o, logits=o.logits * 1e4) for o in (student, teacher)]
    assert np.isfinite(value(entry, {}, *wide, y).item())
