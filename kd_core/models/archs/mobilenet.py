"""A mobile network over pictures: convolutions a band each, between cheap ones that mix the bands; few weights, few operations."""

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

# filters of the first of three stages (each further one has twice as many) and blocks a stage
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 8, "depth": 1},
    "small": {"width": 16, "depth": 1},
    "base": {"width": 24, "depth": 2},
    "large": {"width": 32, "depth": 4},
}
STAGES = 3
WIDER = 4  # times as many bands inside a block; the paper's 6 is for pictures of 224 x 224


class MobileNetSpec(Spec):
    """Three stages of inverted residual blocks: tiny 8, small 16, base 24 x 2, large 32 x 4 (first filters x blocks a stage)."""

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
        1, ge=1, le=12, description="Blocks a stage, where no size is named.", json_schema_extra=unit("blocks")
    )
    dropout: float = Field(
        0.0,
        ge=0,
        le=0.8,
        description="Share of hidden units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )


class Block(nn.Module):
    """Widen, look around in each band alone, narrow again; added to what came in where the sizes are alike."""

    def __init__(self, before: int, filters: int, stride: int) -> None:
        super().__init__()
        inner = WIDER * before
        self.learned = nn.Sequential(
            nn.Conv2d(before, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU6(),
            nn.Conv2d(inner, inner, 3, stride=stride, padding=1, groups=inner, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU6(),
            nn.Conv2d(inner, filters, 1, bias=False),
            nn.BatchNorm2d(filters),
        )
        self.adds = before == filters and stride == 1

    def forward(self, x_NKHW: Tensor) -> Tensor:
        found: Tensor = self.learned(x_NKHW)
        return found + x_NKHW if self.adds else found


class MobileNet(nn.Module):
    """Inverted residuals for pictures of about 32 x 32.

    Pixels are brought to mean 0 and spread 1, by what it saw while training.
    Shape: x (N, K, H, W) from 0 to 255 -> logits (N, C), features (N, filters of the last layer).
    Source: arXiv:1801.04381, with strides for small pictures.
    """

    def __init__(self, spec: MobileNetSpec, inputs: InputSpec, num_outputs: int) -> None:
        super().__init__()
        shape = PRESETS[spec.size] if spec.size else {"width": spec.width, "depth": spec.depth}
        bands, filters = inputs.shape[0], shape["width"]
        self.scale = nn.BatchNorm2d(bands, affine=False)
        self.rows_at_once = rows_at_once(inputs, WIDER * filters)
        layers: list[nn.Module] = [
            nn.Conv2d(bands, filters, 3, stride=first_stride(inputs), padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU6(),
        ]
        before = filters
        for stage in range(STAGES):
            for block in range(shape["depth"]):
                layers.append(Block(before, filters << stage, 2 if stage and not block else 1))
                before = filters << stage
        last = 2 * before
        layers += [nn.Conv2d(before, last, 1, bias=False), nn.BatchNorm2d(last), nn.ReLU6()]
        self.layers = convert_conv2d_weight_memory_format(nn.Sequential(*layers), torch.channels_last)
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(last, num_outputs)

    def forward(self, x_NKHW: Tensor) -> Outputs:
        features = self.layers(self.scale(x_NKHW.float() / 255)).mean(dim=(2, 3))
        return Outputs(self.head(self.dropout(features)), features)


@ARCHS.register(
    "mobilenet",
    title="MobileNet",
    spec=MobileNetSpec,
    source="arXiv:1801.04381",
    roles=("student", "teacher"),
    takes=("pixels",),
    presets=PRESETS,
    candidates={"tiny": 50, "small": 80},
)
def build(spec: MobileNetSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a mobile network over pixels."""
    return MobileNet(spec, inputs, num_outputs)
