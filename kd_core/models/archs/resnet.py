"""A residual network over small pictures: each block adds to what came in, so that depth does not stop the learning."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from kd_core.data.input_spec import InputSpec
from kd_core.models.base import ARCHS, Outputs, SizeName
from kd_core.models.picture_sizes import first_stride, rows_at_once
from kd_core.specs import Spec, unit

# filters of the first of three stages (each further one has twice as many) and blocks of two convolutions a stage
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 8, "depth": 1},
    "small": {"width": 16, "depth": 1},
    "base": {"width": 16, "depth": 3},
    "large": {"width": 16, "depth": 5},
}
STAGES = 3


class ResNetSpec(Spec):
    """Three stages of residual blocks: tiny and small ResNet-8 of 8 and 16 filters, base ResNet-20, large ResNet-32."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS

    size: SizeName | None = Field("small", description="Size by name; empty for a shape of one's own.")
    width: int = Field(
        16,
        ge=1,
        le=256,
        description="Filters of the first stage, where no size is named; each further stage has twice as many.",
        json_schema_extra=unit("filters"),
    )
    depth: int = Field(
        1,
        ge=1,
        le=18,
        description="Blocks of two convolutions a stage, where no size is named.",
        json_schema_extra=unit("blocks"),
    )
    dropout: float = Field(
        0.0,
        ge=0,
        le=0.8,
        description="Share of hidden units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )


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
            else nn.Sequential(nn.Conv2d(before, filters, 1, stride=stride, bias=False), nn.BatchNorm2d(filters))
        )

    def forward(self, x_NKHW: Tensor) -> Tensor:
        return torch.relu(self.learned(x_NKHW) + self.kept(x_NKHW))


class ResNet(nn.Module):
    """The residual network for pictures of about 32 x 32; 6 x depth + 2 layers.

    Pixels are brought to mean 0 and spread 1, by what it saw while training.
    Shape: x (N, K, H, W) from 0 to 255 -> logits (N, C), features (N, filters of the last stage).
    Source: arXiv:1512.03385, section 4.2, with 1 x 1 convolutions where a stage begins.
    """

    def __init__(self, spec: ResNetSpec, inputs: InputSpec, num_outputs: int) -> None:
        super().__init__()
        shape = PRESETS[spec.size] if spec.size else {"width": spec.width, "depth": spec.depth}
        bands, filters = inputs.shape[0], shape["width"]
        self.scale = nn.BatchNorm2d(bands, affine=False)
        self.rows_at_once = rows_at_once(inputs, filters)
        layers: list[nn.Module] = [
            nn.Conv2d(bands, filters, 3, stride=first_stride(inputs), padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
        ]
        before = filters
        for stage in range(STAGES):
            for block in range(shape["depth"]):
                layers.append(Block(before, filters << stage, 2 if stage and not block else 1))
                before = filters << stage
        self.layers = convert_conv2d_weight_memory_format(nn.Sequential(*layers), torch.channels_last)
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(before, num_outputs)

    def forward(self, x_NKHW: Tensor) -> Outputs:
        features = self.layers(self.scale(x_NKHW.float() / 255)).mean(dim=(2, 3))
        return Outputs(self.head(self.dropout(features)), features)


@ARCHS.register(
    "resnet",
    title="ResNet",
    spec=ResNetSpec,
    source="arXiv:1512.03385",
    roles=("student", "teacher"),
    takes=("pixels",),
    presets=PRESETS,
    candidates={"tiny": 40, "small": 70},
)
def build(spec: ResNetSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a residual network over pixels."""
    return ResNet(spec, inputs, num_outputs)
