"""What a layer hears while it learns in whole numbers."""

from __future__ import annotations

import torch
from torch import nn

from kd_core.compress.whole_numbers.learned import RoundedInput


def test_a_layer_hears_256_steps_of_its_range_and_what_lies_outside_is_cut_off():
    layer = nn.Identity()
    layer.register_buffer("seen", torch.tensor([-1.0, 1.55]))
    layer.register_forward_pre_hook(RoundedInput("seen"))
    layer.eval()
    x = torch.linspace(-3, 3, 1001, requires_grad=True)
    heard = layer(x)
    assert torch.allclose(heard, (x / 0.01).round().mul(0.01).clamp(-1.0, 1.55), atol=0.0051)
    assert len(heard.unique()) == 256 and layer.get_buffer("seen").tolist() == torch.tensor([-1.0, 1.55]).tolist()
    heard.sum().backward()
    assert x.grad[0] == 0 == x.grad[-1] and x.grad[500] == 1
    layer.train()
    layer(x)
    assert layer.get_buffer("seen")[0] < -1.0 and layer.get_buffer("seen")[1] > 1.55
