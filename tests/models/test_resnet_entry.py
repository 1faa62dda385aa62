"""The 1 x 1 convolution over which a residual block of another size is entered."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from kd_core.models.archs.resnet import NARROW, Entry


@pytest.mark.parametrize("channels", [1, 4, NARROW - 1, NARROW, 12])
def test_it_answers_and_learns_as_a_convolution_with_a_stride(channels):
    torch.manual_seed(0)
    entry = Entry(channels, 5, 1, stride=2, bias=False).to(memory_format=torch.channels_last)
    plain = nn.Conv2d(channels, 5, 1, stride=2, bias=False).double()  # in float64 no fast path is taken
    plain.load_state_dict(entry.state_dict())
    x = torch.randn(6, channels, 7, 10).to(memory_format=torch.channels_last)
    ours, theirs = x.clone().requires_grad_(), x.double().requires_grad_()
    found, wanted = entry(ours), plain(theirs)
    assert found.shape == (6, 5, 4, 5) and torch.allclose(found.double(), wanted, atol=1e-5)
    found.square().sum().backward()
    wanted.square().sum().backward()
    assert torch.allclose(entry.weight.grad.double(), plain.weight.grad, atol=1e-3)
    assert torch.allclose(ours.grad.double(), theirs.grad, atol=1e-4)
    with torch.no_grad():
        assert torch.allclose(entry(x), found, atol=1e-6)


def test_no_stride_of_few_channels_is_left_to_the_backward_pass():
    """What ends the process on some processors is not asked of any."""
    with torch.profiler.profile(record_shapes=True) as seen:
        Entry(4, 5, 1, stride=2, bias=False)(torch.randn(2, 4, 6, 6, requires_grad=True)).sum().backward()
    convolved = [event for event in seen.events() if event.name == "aten::convolution"]
    assert convolved and all(event.input_shapes[0] == [2, 4, 3, 3] for event in convolved)
