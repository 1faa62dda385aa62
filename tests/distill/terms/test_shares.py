"""Shares: how much labels and terms move a student, one by one and in stacks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kd_core.distill import objective, shares
from kd_core.distill.stack.stacked_lesson import StackedLesson
from kd_core.distill.student import train_student
from kd_core.evaluate.soft_labels import effective_soft_share
from kd_core.models import Outputs
from kd_core.specs import LABELS, SEVERAL, Choice, TrainingSpec
from tests.distill.eager import make_dataset, make_teacher, make_variant

ROWS, CLASSES = 12, 3
LESSON = Choice(name="hinton", settings={"alpha": 0.6, "temperature": 4.0})
Y = np.arange(ROWS) % CLASSES


def logits(seed):
    return np.random.default_rng(seed).normal(size=(ROWS, CLASSES)).astype(np.float32) * 2


def of_batch(choice, written=True):
    lesson = objective.make("multiclass", choice, Y, logits(1))
    if not written:
        lesson.written = None
    lesson.begin(1, 4)
    terms = lesson(Outputs(torch.tensor(logits(0), requires_grad=True)), torch.arange(ROWS))
    again = lesson(Outputs(torch.tensor(logits(0), requires_grad=True)), torch.arange(ROWS))
    assert again.shares is None, "only the first batch of an epoch is measured"
    return terms.shares


@pytest.mark.parametrize("written", [True, False])
def test_the_share_of_soft_labels_is_that_of_the_formula(written):
    found = of_batch(LESSON, written)
    expected = effective_soft_share(logits(1), logits(0), Y, 4.0, 0.6)
    assert found == pytest.approx({LABELS: 1 - expected, "hinton": expected}, rel=1e-5)


def test_several_terms_have_a_share_each():
    terms = [{"name": "hinton", "weight": 0.6, "settings": {"temperature": 4.0}}]
    assert of_batch(Choice(name=SEVERAL, settings={"hard": 0.4, "terms": terms})) == pytest.approx(
        of_batch(LESSON), rel=1e-5
    )


def test_without_a_hard_weight_the_teacher_has_it_all():
    assert of_batch(Choice(name="hinton", settings={"alpha": 1.0}), written=False) == {"hinton": 1.0}


def test_a_stack_measures_what_a_student_alone_does():
    chosen = [None, LESSON, Choice(name="hinton", settings={"alpha": 0.1})]
    lesson = StackedLesson("multiclass", chosen, Y, logits(1), None, torch.float64, torch.device("cpu"))
    z = torch.tensor(logits(0), dtype=torch.float64).T.expand(3, -1, -1).contiguous()
    found = lesson.shares(z, torch.arange(ROWS).expand(3, -1))
    assert found[0] is None
    assert found[1] == pytest.approx(of_batch(LESSON), rel=1e-5)
    assert found[2] == pytest.approx(of_batch(chosen[2]), rel=1e-5)


def test_terms_that_do_not_reach_the_logits_are_compared_by_the_weights():
    inner = torch.nn.Linear(3, 4)
    head = torch.nn.Linear(4, 2)
    hidden = inner(torch.randn(5, 3))
    z = head(hidden)
    parts = {LABELS: z.square().mean(), "inner": hidden.square().mean()}
    weights = [*inner.parameters(), *head.parameters()]
    assert shares.measure(parts, z, []) == {}
    found = shares.measure(parts, z, weights)
    lengths = []
    for part in parts.values():
        got = torch.autograd.grad(part, weights, retain_graph=True, allow_unused=True)
        lengths.append(sum(float((g**2).sum()) for g in got if g is not None) ** 0.5)
    assert list(found.values()) == pytest.approx([lengths[0] / sum(lengths), lengths[1] / sum(lengths)], rel=1e-5)


def test_measuring_changes_no_weight_by_a_bit():
    dataset, found = make_dataset("multiclass"), []
    for measured in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            if not measured:
                patch.setattr(objective.Objective, "begin", lambda self, epoch, planned: None)
            student = train_student(
                dataset,
                make_variant(width=8, dropout=0.1).student,
                LESSON,
                make_teacher(dataset),
                TrainingSpec(epochs=3, batch_size=32),
                1,
            )
        assert all(bool(h.get("shares")) is measured for h in student.trained.history)
        found.append(student.state_dict())
    assert all(torch.equal(found[0][name], t) for name, t in found[1].items())


def test_what_is_told_of_a_training_stops_at_the_epoch_that_was_kept_and_draws_them_all():
    history = [{"epoch": e, "shares": {LABELS: e / 10, "mse": 1 - e / 10}} for e in (1, 2, 3)]
    found = shares.told(history, 2)
    assert found["mean"] == pytest.approx({LABELS: 0.15, "mse": 0.85})
    assert found["curve"] == {"epoch": [1, 2, 3], LABELS: [0.1, 0.2, 0.3], "mse": [0.9, 0.8, 0.7]}
    assert shares.told([{"epoch": 1}], 1) == {}
    many = [{"epoch": e, "shares": {"mse": 1.0}} for e in range(1, 1001)]
    assert len(shares.told(many, 7)["curve"]["epoch"]) <= shares.MOST_POINTS
