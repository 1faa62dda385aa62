"""Teacher and student trained together: their losses, what each hears, and what a resumed training has."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from kd_core.distill import objective as objectives
from kd_core.distill.beside import joint
from kd_core.distill.meeting import Lesson, Way, taught
from kd_core.models.base import Outputs
from kd_core.models.dropout import masks_beside, own_stream, seed_masks
from kd_core.specs import Choice, TrainingSpec
from tests.distill.test_student import STUDENT, TRAINING, make_dataset, objective_for, same, teacher

PEER = Choice(name="mlp", settings={"size": "small", "dropout": 0.3})


def lesson_of(task="binary", training=TRAINING):
    data = make_dataset(task)
    return Lesson(data, STUDENT, objective_for(task), teacher(data), training, PEER)


class Fixed(nn.Module):
    """A peer whose answers are given."""

    def __init__(self, z):
        super().__init__()
        self.z = nn.Parameter(z)

    def forward(self, x):
        return Outputs(self.z[: len(x)])


def both(task, weight, back, temperature=1.0):
    """Return student and peer logits with the joint loss of a batch of 6, and the loss before it is reduced."""
    rng = np.random.default_rng(4)
    data, columns = make_dataset(task), 1 if task == "regression" else 2
    z, w = (torch.tensor(rng.normal(size=(6, columns)), dtype=torch.float32) for _ in range(2))
    alone = objectives.make(task, None, data.scaled_y("train"))
    peer = Fixed(w)
    spec = joint.JointSpec(weight=weight, temperature=temperature)
    loss = joint.JointLoss(spec, task, alone, peer, data.view().parts["train"], torch.device("cpu"), back)
    z.requires_grad_()
    terms = loss(Outputs(z), torch.arange(6))
    return z, peer.z, terms, data.scaled_y("train")[:6]


def log_softmax(z):
    return z - np.log(np.exp(z).sum(1, keepdims=True))


@pytest.mark.parametrize("back", [True, False])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_each_side_is_the_published_formula(back, temperature):
    z, w, terms, y = both("binary", 0.7, back, temperature)
    s, t = (v.detach().numpy().astype(np.float64) for v in (z, w))

    def divergence(p, q):
        log_p, log_q = log_softmax(p / temperature), log_softmax(q / temperature)
        return temperature**2 * (np.exp(log_p) * (log_p - log_q)).sum(1).mean()

    hard = [-log_softmax(v)[np.arange(6), y].mean() for v in (s, t)]
    want = sum(hard) + 0.7 * divergence(t, s) + 0.7 * back * divergence(s, t)
    assert float(terms.total.detach()) == pytest.approx(want, rel=1e-5)
    assert float(terms.hard.detach()) == pytest.approx(hard[0], rel=1e-5)
    assert float(terms.soft.detach()) == pytest.approx(divergence(t, s), rel=1e-5)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_neither_hears_a_gradient_of_the_other(task):
    z, w, terms, _ = both(task, 1.0, False)
    terms.total.backward()
    with_teacher = z.grad.clone(), w.grad.clone()
    z0, w0, alone, _ = both(task, 0.0, False)
    alone.total.backward()
    assert not torch.equal(with_teacher[0], z0.grad)
    assert torch.equal(with_teacher[1], w0.grad)  # one way: the teacher learns as it would alone
    z2, w2, back, _ = both(task, 1.0, True)
    back.total.backward()
    assert torch.allclose(z2.grad, with_teacher[0]) and not torch.equal(w2.grad, w0.grad)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_weight_0_is_the_baseline_bit_for_bit_although_the_peer_has_dropout(task):
    lesson = lesson_of(task)
    alone = taught(lesson, Way(3), alone=True)
    met = joint.train(joint.JointSpec(weight=0.0), lesson, Way(3), back=True)
    assert same(alone, met.student)
    assert [h["hard"] for h in alone.trained.history] == [h["hard"] for h in met.student.trained.history]
    assert not same(alone, joint.train(joint.JointSpec(), lesson, Way(3), back=True).student)


def test_the_teacher_learns_and_its_score_is_that_of_the_chosen_epoch():
    lesson, told = lesson_of(training=TrainingSpec(epochs=6, batch_size=32)), []
    met = joint.train(joint.JointSpec(), lesson, Way(1, notify=told.append), back=True)
    mine = [e for e in told if e.get("helper")]
    assert [e["epoch"] for e in mine] == list(range(1, 7)) and mine[-1]["hard"] < mine[0]["hard"]
    (helper,) = met.helpers
    assert helper.score == pytest.approx(mine[met.student.trained.selected_epoch - 1]["score"])
    assert helper.parameters > 5 * sum(p.numel() for p in met.student.module.parameters())
    best = max(range(6), key=lambda i: mine[i]["score"])
    assert mine[best]["best"]


def test_a_training_that_was_cut_off_goes_on_bit_for_bit(tmp_path):
    lesson = lesson_of(training=TrainingSpec(epochs=6, batch_size=32))
    whole = joint.train(joint.JointSpec(), lesson, Way(2), back=True)
    epochs = []

    def cut():
        return len(epochs) >= 3

    from kd_core.training.checkpoint import Checkpoints

    always = pytest.MonkeyPatch()
    always.setattr(Checkpoints, "due", lambda self: True)
    always.setattr(Checkpoints, "worth_finishing", lambda self: True)
    try:
        way = Way(2, checkpoint=tmp_path / "a.ckpt")
        first = joint.train(
            joint.JointSpec(),
            lesson,
            replace(way, notify=lambda e: e.get("helper") and epochs.append(e), should_stop=cut),
            back=True,
        )
        assert first.student.trained.stopped and not same(first.student, whole.student)
        again = joint.train(joint.JointSpec(), lesson, way, back=True)
    finally:
        always.undo()
    assert same(again.student, whole.student) and again.helpers[0].score == whole.helpers[0].score


def test_masks_beside_leave_the_first_stream_as_if_alone():
    cpu = torch.device("cpu")

    def draws(beside):
        seed_masks(5, cpu)
        found = []
        for _ in range(3):
            found.append(torch.rand(4, generator=own_stream()))
            if beside:
                with masks_beside("peer"):
                    found.append(torch.rand(4, generator=own_stream()))
        return found

    plain, mixed = draws(False), draws(True)
    assert all(torch.equal(a, b) for a, b in zip(plain, mixed[::2], strict=True))
    assert all(torch.equal(a, b) for a, b in zip(mixed, draws(True), strict=True))
    assert not torch.equal(mixed[1], mixed[3]) and not torch.equal(mixed[1], mixed[0])
