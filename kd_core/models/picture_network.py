"""What networks over pixels have in common: how they begin and end, and how many pictures are answered at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from kd_core.data.input_spec import InputSpec
from kd_core.models.base import Outputs, SizeName
from kd_core.models.dropout import own_stream
from kd_core.specs import Spec, unit

LARGE_SIDE = 32  # larger pictures are halved by the first convolution: a quarter of the work
PREDICT_BYTES = 2**27  # of the widest layer at once
STAGES = 3
MOVED = "While training, each picture is moved by up to so many pixels each way, its edge repeated."
DROPPED = "Share of hidden units silenced at each training step."
# Facts of how these learn best, as tried on validation rows of Fashion-MNIST (docs/LAB.md): a step's time grows with its pictures,
# so small batches learn most in a given time, and batch normalisation bears larger steps.
# As teachers they have no dropout, since pictures that are moved keep them from learning rows by heart as well, and lose nothing.
BATCH, RATE = 128, 2.5
TEACHING: dict[str, Any] = {
    "dropout": Field(0.0, ge=0, le=0.8, description=DROPPED, json_schema_extra=unit("share", advanced=True)),
    "moved": Field(1, ge=0, le=16, description=MOVED, json_schema_extra=unit("pixels")),
}


class VariedSpec(Spec):
    """How pictures are varied while a network learns; it answers about them as they are."""

    later = ("moved", "mirrored")

    moved: int = Field(0, ge=0, le=16, description=MOVED, json_schema_extra=unit("pixels"))
    mirrored: bool = Field(
        False,
        description="While training, half of the pictures are mirrored left to right; not where sides matter, as in writing.",
    )
    dropout: float = Field(0.0, ge=0, le=0.8, description=DROPPED, json_schema_extra=unit("share", advanced=True))


class Varied(nn.Module):
    """Moves and mirrors pictures while training, each in its own way, drawn from its training's own stream.

    Shape: (N, K, H, W) -> the same.
    """

    def __init__(self, spec: VariedSpec) -> None:
        super().__init__()
        self.moved, self.mirrored = spec.moved, spec.mirrored

    def forward(self, x_NKHW: Tensor) -> Tensor:
        if not self.training or not (self.moved or self.mirrored):
            return x_NKHW
        number, (height, width), most = len(x_NKHW), x_NKHW.shape[2:], self.moved
        stream, device = own_stream(), x_NKHW.device
        if most:
            padded = nn.functional.pad(x_NKHW, (most, most, most, most), mode="replicate")
            places = padded.unfold(2, height, 1).unfold(3, width, 1)  # a view of every place it can be moved to
            down, across = torch.randint(2 * most + 1, (2, number), generator=stream, device=device)
            x_NKHW = places[torch.arange(number, device=device), :, down, across]
        if self.mirrored:
            turned = torch.randint(2, (number, 1, 1, 1), generator=stream, device=device).bool()
            x_NKHW = torch.where(turned, x_NKHW.flip(3), x_NKHW)
        return x_NKHW


class StagedSpec(VariedSpec):
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
    dropout: float = Field(0.0, ge=0, le=0.8, description=DROPPED, json_schema_extra=unit("share", advanced=True))


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
        self.varied, self.scale = Varied(spec), nn.BatchNorm2d(bands, affine=False)
        self.rows_at_once = rows_at_once(inputs, wider * filters)
        layers: list[nn.Module] = [
            nn.Conv2d(bands, filters, 3, stride=first_stride(inputs), padding=1, bias=False),
            nn.BatchNorm2d(filters),
            activation(),
        ]
        before, self.shows_maps, self.ends = filters, False, list[int]()
        for stage in range(STAGES):
            for number in range(shape["depth"]):
                layers.append(block(before, filters << stage, 2 if stage and not number else 1))
                before = filters << stage
            self.ends.append(len(layers) - 1)
        after, width = last(before)
        self.layers = convert_conv2d_weight_memory_format(nn.Sequential(*layers, *after), torch.channels_last)
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(width, num_outputs)

    def forward(self, x_NKHW: Tensor) -> Outputs:
        scaled = self.scale(self.varied(x_NKHW.float()) / 255)
        found, hidden = staged(self.layers, self.ends, scaled, self.shows_maps)
        features = found.mean(dim=(2, 3))
        return Outputs(self.head(self.dropout(features)), features, hidden=hidden)


def staged(layers: nn.Sequential, ends: Sequence[int], x_NKHW: Tensor, shows: bool) -> tuple[Tensor, dict[str, Tensor]]:
    """Apply layers, and where asked return what comes out of those that end a stage, by name: stage1, stage2 and so on."""
    if not shows:
        return layers(x_NKHW), {}
    found = {}
    for number, layer in enumerate(layers):
        x_NKHW = layer(x_NKHW)
        if number in ends:
            found[f"stage{ends.index(number) + 1}"] = x_NKHW
    return x_NKHW, found


def first_stride(inputs: InputSpec) -> int:
    """Return the step of the first convolution: 2 for large pictures."""
    return 2 if max(inputs.shape[1:]) > LARGE_SIDE else 1


def rows_at_once(inputs: InputSpec, filters: int) -> int:
    """Count the pictures that may be answered at once, by what a layer of so many filters takes."""
    _, height, width = inputs.shape
    return max(1, PREDICT_BYTES // (4 * filters * height * width))
