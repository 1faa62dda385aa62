"""A residual network over small pictures: each block adds to what came in, so that depth does not stop the learning."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from kd_core.data.input_spec import InputSpec
from kd_core.models.base import ARCHS
from kd_core.models.picture_network import BATCH, RATE, TEACHING, Staged, StagedSpec

# filters of the first of three stages (each further one has twice as many) and blocks of two convolutions a stage
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 8, "depth": 1},
    "small": {"width": 16, "depth": 1},
    "base": {"width": 16, "depth": 3},
    "large": {"width": 16, "depth": 5},
}

NARROW = 8  # channels


class ResNetSpec(StagedSpec):
    """Three stages of residual blocks: tiny and small ResNet-8 of 8 and 16 filters, base ResNet-20, large ResNet-32."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS


class Entry(nn.Conv2d):
    """A 1 x 1 convolution of every stride-th place in both directions."""

    def forward(self, x_NKHW: Tensor) -> Tensor:
        # Trap: where it has a stride and fewer than 8 channels come in, its backward pass writes past its memory on processors with AVX2
        # alone (torch 2.13, channels last, one thread), which ends the process. Without a stride it does not.
        if torch.is_grad_enabled() and self.in_channels < NARROW:
            down, right = self.stride
            return nn.functional.conv2d(x_NKHW[:, :, ::down, ::right], self.weight, self.bias)
        return super().forward(x_NKHW)


class Block(nn.Module):
    """Two 3 x 3 convolutions, added to what came in; where sizes differ it comes in over a 1 x 1 convolution."""

    def __init__(self, before: int, filters: int, stride: int) -> None:
        super().__init__()
        self.learned = nn.Sequential(
            nn.Conv2d(before, filters, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
            nn.Conv2d(filters, filters, 3, padding=1, bias=False),
            nn.BatchNorm2d(filters),
        )
        alike = before == filters and stride == 1
        self.kept = (
            nn.Identity()
            if alike
            else nn.Sequential(Entry(before, filters, 1, stride=stride, bias=False), nn.BatchNorm2d(filters))
        )

    def forward(self, x_NKHW: Tensor) -> Tensor:
        return torch.relu(self.learned(x_NKHW) + self.kept(x_NKHW))


@ARCHS.register(
    "resnet",
    title="ResNet",
    spec=ResNetSpec,
    source="arXiv:1512.03385",
    roles=("student", "teacher"),
    takes=("pixels",),
    gives=frozenset({"logits", "features", "head", "maps"}),
    presets=PRESETS,
    batch=BATCH,
    rate=RATE,
    teaching=TEACHING,
    slower=0.5,  # large convolutions keep a core busier than small matrix products do
    candidates={"tiny": 40, "small": 70},
)
def build(spec: ResNetSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a residual network for pictures of about 32 x 32; 6 x depth + 2 layers.

    Source: arXiv:1512.03385, section 4.2, with 1 x 1 convolutions where a stage begins.
    """
    shape = PRESETS[spec.size] if spec.size else {"width": spec.width, "depth": spec.depth}
    return Staged(spec, shape, inputs, num_outputs, Block, nn.ReLU, lambda filters: ([], filters))
