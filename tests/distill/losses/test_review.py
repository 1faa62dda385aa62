"""Knowledge review: what the fusion does, the warm-up over the epochs, alone and among several terms, and what is asked of the teacher."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from kd_core.distill import LOSSES, objective
from kd_core.distill.inner.hints import Hints
from kd_core.distill.losses.review import ReviewSpec, hierarchical
from kd_core.distill.terms import loss_of
from kd_core.registry import Situation
from kd_core.specs import Choice
from tests.laws.loss_cases import GIVES, ROWS, batch, hints_of, lesson, modules, reference, value

ENTRY = LOSSES.get("review")


def test_the_warm_up_rises_in_equal_steps_over_its_share_of_the_epochs():
    shares = [ReviewSpec(warm_up=0.25).at(epoch, 16).risen for epoch in range(1, 17)]
    assert shares == [0.25, 0.5, 0.75, *[1.0] * 13]
    assert [ReviewSpec().at(e, 240).risen for e in (1, 10, 20, 21)] == [0.05, 0.5, 1.0, 1.0]
    assert ReviewSpec(warm_up=0.0).at(1, 5).risen == ReviewSpec().risen == ReviewSpec().at(1, 3).risen == 1.0


@pytest.mark.parametrize("together", [False, True], ids=["alone", "among several"])
def test_a_lesson_takes_the_share_of_its_epoch(together):
    student, teacher, y = batch(ENTRY, dtype=torch.float32)
    if together:
        terms = [{"name": "review", "settings": {"warm_up": 0.5}}, {"name": "hinton"}]
        choice = Choice(name="several", settings={"hard": 1.0, "terms": terms})
        made = objective.make("multiclass", choice, y.numpy(), teacher.logits.numpy(), hints=hints_of(teacher))
        made.module = torch.nn.ModuleDict({"review": modules(ENTRY, ReviewSpec(), student, teacher)[0]})
    else:
        made = lesson(ENTRY, {"warm_up": 0.5}, y, teacher)
    found = []
    for epoch in (1, 2, 3, 4):
        made.begin(epoch, 8)
        found.append(made(student, torch.arange(ROWS)).total.item())
    steps = np.diff(found)
    assert steps[0] > 0 and steps == pytest.approx(steps[0], rel=1e-4)
    made.begin(8, 8)
    assert made(student, torch.arange(ROWS)).total.item() == pytest.approx(found[-1], rel=1e-6)


def test_coarser_levels_count_half_as_much_each_and_only_where_they_are_coarser():
    near, far = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
    far[0, 0] = (-1.0) ** torch.arange(8)  # columns in turn: nothing is left of them in any average
    assert hierarchical(near, far).item() == pytest.approx(1 / 1.875)
    assert hierarchical(near, far + 3).item() == pytest.approx((10 + 9 * 0.875) / 1.875)
    assert hierarchical(near[:, :, :2, :2], far[:, :, :2, :2]).item() == pytest.approx(1 / 1.5)


def test_what_a_late_stage_finds_reaches_the_earlier_ones_and_not_the_other_way():
    student, teacher, _ = batch(ENTRY)
    (module,) = modules(ENTRY, ReviewSpec(), student, teacher)
    stages = list(student.hidden.values())[::-1]
    plain = module(stages)
    late, early = module([stages[0] + 1, stages[1]]), module([stages[0], stages[1] + 1])
    assert not torch.equal(late[1], plain[1]) and torch.equal(early[0], plain[0])
    assert [x.shape[1] for x in plain] == [6, 5]  # the teacher's bands, last stage first


def test_networks_of_one_stage_have_nothing_to_fuse():
    student, teacher, y = batch(ENTRY)
    one = replace(student, hidden={"stage1": student.hidden["stage2"]})
    own = modules(ENTRY, ReviewSpec(), one, teacher)
    assert not list(own[0].weigh)
    assert value(ENTRY, {}, one, teacher, y, own).item() == pytest.approx(
        reference(ENTRY, {}, one, teacher, y, own), rel=1e-9
    )


def test_it_needs_a_network_beside_the_student_and_students_of_pictures():
    at = Situation("multiclass", 4, GIVES, students_give=GIVES)
    assert ENTRY.why_not(at) is None
    assert "convolutional network trained here" in ENTRY.why_not(replace(at, teacher_gives=GIVES - {"learning"}))
    assert "every student must be one" in ENTRY.why_not(replace(at, students_give=frozenset({"logits", "features"})))
    assert set(loss_of(Choice(name="review")).needs) == {"live_maps", "student_maps"}


def test_a_shuffled_teacher_is_asked_about_other_rows():
    _, teacher, _ = batch(ENTRY, dtype=torch.float32)
    hints = hints_of(teacher)
    other = hints.shuffled(0)
    at = torch.tensor([3, 0, 7])
    plain, moved = hints.live(at)["stage2"], other.live(at)["stage2"]
    assert torch.equal(plain, teacher.hidden["stage2"][at])
    assert torch.equal(moved, teacher.hidden["stage2"][torch.from_numpy(other.live.order)[at]])
    assert sorted(other.live.order) == list(range(ROWS)) and not torch.equal(plain, moved)
    assert isinstance(other, Hints) and other.gives() == hints.gives() >= {"learning", "maps"}
