"""What networks over pixels have in common: how they begin and end, and how many pictures are answered at once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from kd_core.data.input_spec import InputSpec
from kd_core.models.base import Outputs, SizeName
from kd_core.specs import Spec, unit

LARGE_SIDE = 32  # larger pictures are halved by the first convolution: a quarter of the work
PREDICT_BYTES = 2**27  # of the widest layer at once
STAGES = 3


class StagedSpec(Spec):
    """Three stages of blocks, each with twice as many filters as the one before, on a quarter of the places."""

    size: SizeName | None = Field("small", description="Size by name; empty for a shape of one's own.")
    width: int = Field(
        16,
        ge=1,
        le=256,
        description="Filters of the first stage, where no size is named; each further stage has twice as many.",
        json_schema_extra=unit("filters"),
    )
    depth: int = Field(
        1, ge=1, le=18, description="Blocks a stage, where no size is named.", json_schema_extra=unit("blocks")
    )
    dropout: float = Field(
        0.0,
        ge=0,
        le=0.8,
        description="Share of hidden units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )


class Staged(nn.Module):
    """A convolution, three stages of blocks, what `last` makes of them, the mean over the places, and a linear layer.

    `block(before, filters, stride)` makes a block; `activation` follows the first convolution; `last(filters)` returns the layers
    after the stages and their filters; `wider`: times as many bands inside a block. Pixels are brought to mean 0 and spread 1, by
    what it saw while training.
    Shape: x (N, K, H, W) from 0 to 255 -> logits (N, C), features (N, filters of the last layer).
    """

    def __init__(
        self,
        spec: StagedSpec,
        shape: dict[str, int],
        inputs: InputSpec,
        num_outputs: int,
        block: Callable[[int, int, int], nn.Module],
        activation: type[nn.Module],
        last: Callable[[int], tuple[list[nn.Module], int]],
        wider: int = 1,
    ) -> None:
        super().__init__()
        bands, filters = inputs.shape[0], shape["width"]
        self.scale = nn.BatchNorm2d(bands, affine=False)
        self.rows_at_once = rows_at_once(inputs, wider * filters)
        layers: list[nn.Module] = [
            nn.Conv2d(bands, filters, 3, stride=first_stride(inputs), padding=1, bias=False),
            nn.BatchNorm2d(filters),
            activation(),
        ]
        before = filters
        for stage in range(STAGES):
            for number in range(shape["depth"]):
                layers.append(block(before, filters << stage, 2 if stage and not number else 1))
                before = filters << stage
        after, width = last(before)
        self.layers = convert_conv2d_weight_memory_format(nn.Sequential(*layers, *after), torch.channels_last)
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(width, num_outputs)

    def forward(self, x_NKHW: Tensor) -> Outputs:
        features = self.layers(self.scale(x_NKHW.float() / 255)).mean(dim=(2, 3))
        return Outputs(self.head(self.dropout(features)), features)


def first_stride(inputs: InputSpec) -> int:
    """Return the step of the first convolution: 2 for large pictures."""
    return 2 if max(inputs.shape[1:]) > LARGE_SIDE else 1


def rows_at_once(inputs: InputSpec, filters: int) -> int:
    """Count the pictures that may be answered at once, by what a layer of so many filters takes."""
    _, height, width = inputs.shape
    return max(1, PREDICT_BYTES // (4 * filters * height * width))
