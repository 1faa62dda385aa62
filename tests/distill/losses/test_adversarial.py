"""The judge and the student: each is reached by its own loss, and the student takes on the teacher's manner."""

import pytest
import torch
import torch.nn.functional as F

from kd_core.distill import LOSSES
from kd_core.models import Outputs
from tests.laws.loss_cases import batch, modules

entry = LOSSES.get("adversarial")
SPEC = entry.spec.parse({})


def given():
    student, teacher, y = batch(entry)
    (judge,) = modules(entry, SPEC, student, teacher)
    return student, teacher, y, judge


def seen(z, y):
    """What a judge sees of answers."""
    return torch.cat([torch.softmax(z / SPEC.temperature, 1), F.one_hot(y, z.shape[1]).to(z.dtype)], 1)


def test_the_judge_learns_from_its_own_loss_and_not_from_the_students():
    student, teacher, y, judge = given()
    z = student.logits.clone().requires_grad_()
    entry.make(Outputs(z), teacher, y, SPEC, judge).backward()
    found = [p.grad.clone() for p in judge.parameters()]
    judge.zero_grad()
    told, taken = judge(seen(teacher.logits, y)), judge(seen(student.logits, y))
    # right: 1 for the teacher's answers, 0 for the student's
    own = [F.binary_cross_entropy_with_logits(d, torch.full_like(d, right)) for d, right in ((told, 1.0), (taken, 0.0))]
    sum(own).backward()
    for mine, expected in zip(found, judge.parameters(), strict=True):
        torch.testing.assert_close(mine, expected.grad)


def test_the_teachers_answers_move_the_judge_alone():
    student, teacher, y, judge = given()
    gradients = []
    for logits in (teacher.logits, 3 * teacher.logits):
        judge.zero_grad()
        z = student.logits.clone().requires_grad_()
        entry.make(Outputs(z), Outputs(logits), y, SPEC, judge).backward()
        gradients.append((z.grad, judge[0].weight.grad.clone()))
    assert torch.equal(gradients[0][0], gradients[1][0])
    assert not torch.allclose(gradients[0][1], gradients[1][1])


def test_the_judge_is_told_the_class():
    student, teacher, y, judge = given()
    plain = entry.make(student, teacher, y, SPEC, judge).item()
    assert entry.make(student, teacher, (y + 1) % 5, SPEC, judge).item() != pytest.approx(plain, rel=1e-3)


@pytest.mark.slow
def test_a_judge_tells_them_apart_and_the_student_takes_on_the_teachers_manner():
    torch.manual_seed(0)
    y = torch.arange(300) % 3
    teacher = Outputs(2.0 * F.one_hot(y, 3).double() + 0.3 * torch.randn(300, 3, dtype=torch.float64))
    start = 0.3 * torch.randn(300, 3, dtype=torch.float64)
    judge = entry.facts["module"](SPEC, Outputs(start), teacher).double()

    def share(z):  # of the row's own class
        return torch.softmax(z.detach() / SPEC.temperature, 1)[torch.arange(300), y].mean().item()

    z = start.clone().requires_grad_()
    steps = torch.optim.Adam([{"params": judge.parameters(), "lr": 0.01}, {"params": [z], "lr": 0.02}])
    for _ in range(400):
        steps.zero_grad()
        entry.make(Outputs(z), teacher, y, SPEC, judge).backward()
        steps.step()
    right = share(teacher.logits)
    assert abs(share(start) - right) > 0.2
    assert abs(share(z) - right) < 0.12  # the two go round each other and never rest
