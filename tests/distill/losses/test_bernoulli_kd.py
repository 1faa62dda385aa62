"""Every label by itself: of two classes it is the plain loss, so it is offered only where labels do not exclude each other."""

import pytest
import torch

from kd_core.distill import LOSSES
from kd_core.models import Outputs
from kd_core.registry import Situation
from tests.laws.loss_cases import batch, value

BERNOULLI, HINTON = LOSSES.get("bernoulli_kd"), LOSSES.get("hinton")


@pytest.mark.parametrize("temperature", [0.7, 1.0, 4.0])
def test_of_two_classes_the_log_odds_give_the_plain_loss(temperature):
    student, teacher, y = batch(HINTON, classes=2)
    odds = [Outputs(o.logits[:, 1:] - o.logits[:, :1]) for o in (student, teacher)]
    chosen = {"temperature": temperature}
    found = value(BERNOULLI, chosen, *odds, y).item()
    assert found == pytest.approx(value(HINTON, chosen, student, teacher, y).item(), rel=1e-12)


def test_labels_do_not_compete():
    """A logit that moves changes what its own label gives, and no other's."""
    student, teacher, y = batch(BERNOULLI)
    columns = [
        value(BERNOULLI, {}, Outputs(student.logits[:, k : k + 1]), Outputs(teacher.logits[:, k : k + 1]), y).item()
        for k in range(student.logits.shape[1])
    ]
    assert value(BERNOULLI, {}, student, teacher, y).item() == pytest.approx(sum(columns), rel=1e-12)


def test_labels_are_not_read():
    student, teacher, y = batch(BERNOULLI)
    several = torch.ones(len(y), student.logits.shape[1])
    assert value(BERNOULLI, {}, student, teacher, y) == value(BERNOULLI, {}, student, teacher, several)


def test_it_says_where_it_works_and_is_offered_there():
    for task, classes in (("binary", 2), ("multiclass", 5), ("regression", 0), ("next_item", 5), ("ranking", 0)):
        assert BERNOULLI.why_not(Situation(task, classes)).startswith("works where a row may have several labels")
    assert BERNOULLI.tasks == ("multilabel",) and not BERNOULLI.waits
    assert BERNOULLI.why_not(Situation("multilabel", 5)) is None
