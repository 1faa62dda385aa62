"""A small convolutional network over pixels: plain 3 x 3 convolutions, halved in between, averaged at the end."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from kd_core.data.input_spec import InputSpec
from kd_core.models.base import ARCHS, Outputs, SizeName
from kd_core.models.picture_network import BATCH, RATE, TEACHING, Varied, VariedSpec, first_stride, rows_at_once, staged
from kd_core.specs import unit

# filters of the first stage (each further one has twice as many) and stages
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 8, "depth": 3},
    "small": {"width": 16, "depth": 3},
    "base": {"width": 32, "depth": 4},
    "large": {"width": 64, "depth": 4},
}


class CNNSpec(VariedSpec):
    """3 x 3 convolutions in stages: tiny 8-16, small 16-32, base 32-64-128, large 64-128-256 filters."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS

    size: SizeName | None = Field("small", description="Size by name; empty for a shape of one's own.")
    width: int = Field(
        16,
        ge=1,
        le=512,
        description="Filters of the first stage, where no size is named; each further stage has twice as many.",
        json_schema_extra=unit("filters"),
    )
    depth: int = Field(2, ge=1, le=5, description="Stages, where no size is named.", json_schema_extra=unit("stages"))


class CNN(nn.Module):
    """Brings pixels to mean 0 and spread 1, by what it saw while training; each stage finds patterns and halves the picture.

    Shape: x (N, K, H, W) from 0 to 255 -> logits (N, C), features (N, filters of the last stage).
    Source: batch normalisation arXiv:1502.03167, averaging instead of dense layers arXiv:1312.4400.
    """

    def __init__(self, spec: CNNSpec, inputs: InputSpec, num_outputs: int) -> None:
        super().__init__()
        shape = PRESETS[spec.size] if spec.size else {"width": spec.width, "depth": spec.depth}
        bands = inputs.shape[0]
        self.varied, self.scale = Varied(spec), nn.BatchNorm2d(bands, affine=False)
        stride = first_stride(inputs)
        self.rows_at_once = rows_at_once(inputs, shape["width"])
        self.shows_maps, self.ends = False, [4 * stage + 3 for stage in range(shape["depth"])]
        stages: list[nn.Module] = []
        filters = shape["width"]
        for stage in range(shape["depth"]):
            found = nn.Conv2d(bands, filters, 3, stride=1 if stage else stride, padding=1, bias=False)
            halve = nn.MaxPool2d(2, ceil_mode=True) if stage + 1 < shape["depth"] else nn.Identity()
            # Halved first: what follows then has a quarter of the numbers to go over.
            stages += [found, halve, nn.BatchNorm2d(filters), nn.ReLU()]
            bands, filters = filters, 2 * filters
        # Measured on one core: a step 1.2 to 1.7 times as fast, predictions twice.
        self.stages = convert_conv2d_weight_memory_format(nn.Sequential(*stages), torch.channels_last)
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(bands, num_outputs)

    def forward(self, x_NKHW: Tensor) -> Outputs:
        scaled = self.scale(self.varied(x_NKHW.float()) / 255)
        found, hidden = staged(self.stages, self.ends, scaled, self.shows_maps)
        features = found.mean(dim=(2, 3))
        return Outputs(self.head(self.dropout(features)), features, hidden=hidden)


@ARCHS.register(
    "cnn",
    title="CNN",
    spec=CNNSpec,
    source="arXiv:1312.4400",
    roles=("student", "teacher"),
    takes=("pixels",),
    gives=frozenset({"logits", "features", "head", "maps"}),
    presets=PRESETS,
    batch=BATCH,
    rate=RATE,
    teaching=TEACHING,
    apart="convolutions side by side take longer than one after the other: 2 to 8 networks 1.6 to 2.3 times as long",
    slower=0.3,  # large convolutions keep a core busier than small matrix products do
    candidates={"small": 10, "tiny": 20, "base": 60, "large": 100},
)
def build(spec: CNNSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a convolutional network over pixels."""
    return CNN(spec, inputs, num_outputs)
