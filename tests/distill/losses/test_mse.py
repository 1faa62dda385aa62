"""Squared distance: of classes the offset of a row's logits says nothing, of numbers it is all there is."""

import numpy as np
import pytest
import torch

from kd_core.distill import LOSSES
from kd_core.distill.losses.mse import MSEGradient, mse, of_classes
from kd_core.distill.stack.stacked_lesson import StackedLesson
from kd_core.models import Outputs
from kd_core.specs import Choice

SPEC = LOSSES.get("mse").spec()


@pytest.mark.parametrize(
    ("labels", "width", "classes"),
    [
        (torch.zeros(4, dtype=torch.int64), 3, True),
        (torch.zeros(4, dtype=torch.int64), 2, True),
        (torch.zeros(4), 1, False),  # a number
        (torch.zeros(4, dtype=torch.int64), 1, False),  # how well each item of a ranking fits
        (torch.zeros(4), 3, False),  # a number with parts of its own
        (torch.zeros(4, 3, dtype=torch.int64), 3, False),  # several labels at once, each a yes or no
    ],
)
def test_only_logits_of_one_class_of_several_have_an_offset_that_says_nothing(labels, width, classes):
    z_s, z_t = torch.randn(2, 4, width, dtype=torch.float64)
    assert of_classes(z_s, labels) is classes
    plain = mse(Outputs(z_s), Outputs(z_t), labels, SPEC).item()
    moved = mse(Outputs(z_s + 3), Outputs(z_t - 4), labels, SPEC).item()
    assert (moved == pytest.approx(plain)) is classes
    if not classes:
        assert plain == pytest.approx(((z_s - z_t) ** 2).mean().item())
    assert MSEGradient.table(z_t, labels, SPEC).shape == (4, width + classes)


@pytest.mark.parametrize("labels", [np.arange(6) % 3, np.linspace(-1, 1, 6).astype(np.float32)])
def test_a_stack_follows_the_same_rule(labels):
    classes = labels.dtype.kind == "i"
    task, width = ("multiclass", 3) if classes else ("regression", 1)
    rng = np.random.default_rng(0)
    z_t, z = rng.normal(size=(6, width)), torch.tensor(rng.normal(size=(1, width, 6)))
    index = torch.arange(6)[None]
    chosen = [Choice(name="mse", settings={"alpha": 1.0})]
    for shift in (0.0, 9.0):
        lesson = StackedLesson(task, chosen, labels, (z_t + shift).astype(np.float32), None, torch.float64, z.device)
        own = z[0].T.clone().requires_grad_()
        soft = mse(Outputs(own), Outputs(torch.tensor(z_t + shift)), torch.from_numpy(labels), SPEC)
        expected = torch.autograd.grad(soft, own)[0].T
        torch.testing.assert_close(lesson.gradient(z, index)[0], expected, rtol=0, atol=1e-6)
        told = MSEGradient.table(torch.tensor(z_t + shift), torch.from_numpy(labels), SPEC).T[None]
        assert MSEGradient([SPEC], [1.0], lambda v: torch.tensor(v).view(-1, 1, 1)).losses(
            z, told
        ).item() == pytest.approx(soft.item())


def test_far_offsets_of_a_teacher_do_not_drown_what_it_says_of_classes():
    """Logarithms of small probabilities: a fifth of the mean of 77 such logits would be all that the gradient holds."""
    z = torch.zeros(2, 77, requires_grad=True)
    told = torch.full((2, 77), -11.5)
    told[0, 5], told[1, 9] = -0.1, -0.1
    (slope,) = torch.autograd.grad(mse(Outputs(z), Outputs(told), torch.tensor([5, 9]), SPEC), z)
    assert slope.sum(1).abs().max() < 1e-6
    assert slope[0].argmin() == 5 and slope[0, 5] < -0.13
