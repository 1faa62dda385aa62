"""A linear model on a shrunken picture: what a picture costs without any network of patterns."""

from __future__ import annotations

import math
from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from kd_core.data.input_spec import PIXELS, InputSpec
from kd_core.models.base import ARCHS, Outputs, SizeName
from kd_core.specs import Spec, unit

PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"side": 4},
    "small": {"side": 8},
    "base": {"side": 16},
    "large": {"side": 32},
}


class LinearPixelsSpec(Spec):
    """A picture shrunken to a few places, each with one number per band and class: tiny 4, small 8, base 16, large 32 a side."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS

    size: SizeName | None = Field("small", description="Size by name; empty for a number of one's own.")
    side: int = Field(
        8,
        ge=1,
        le=224,
        description="Places along the longer side at most, where no size is named.",
        json_schema_extra=unit("places"),
    )


class LinearPixels(nn.Module):
    """Means over squares of a picture, brought to mean 0 and spread 1 by what was seen while training, and one affine map.

    Shape: x (N, K, H, W) from 0 to 255 -> logits (N, C); no features.
    """

    def __init__(self, spec: LinearPixelsSpec, inputs: InputSpec, num_outputs: int) -> None:
        super().__init__()
        bands, height, width = inputs.shape
        square = math.ceil(max(height, width) / (PRESETS[spec.size]["side"] if spec.size else spec.side))
        self.shrink = nn.AvgPool2d(square, ceil_mode=True, count_include_pad=False)
        self.scale = nn.BatchNorm2d(bands, affine=False)
        self.head = nn.Linear(bands * math.ceil(height / square) * math.ceil(width / square), num_outputs)

    def forward(self, x_NKHW: Tensor) -> Outputs:
        return Outputs(self.head(self.scale(self.shrink(x_NKHW.float() / 255)).flatten(1)))


@ARCHS.register(
    "linear_pixels",
    title="Linear on pixels",
    spec=LinearPixelsSpec,
    roles=("student", "teacher"),
    takes=(PIXELS,),
    gives=frozenset({"logits"}),
    presets=PRESETS,
    candidates={"small": 95},
    dense=True,
)
def build(spec: LinearPixelsSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a linear model on a shrunken picture."""
    return LinearPixels(spec, inputs, num_outputs)
