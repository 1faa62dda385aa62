"""A residual multilayer perceptron: deeper than an MLP without becoming harder to train."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from kd_core.data.input_spec import TABLE, InputSpec
from kd_core.models.activations import Activation, activation
from kd_core.models.base import ARCHS, Outputs
from kd_core.models.shape import NamingSpec, SizedSpec
from kd_core.specs import unit

# On 28 inputs and 2 outputs: 562, 1,634, 77,858 and 451,586 parameters.
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 8, "depth": 1},
    "small": {"width": 16, "depth": 1},
    "base": {"width": 96, "depth": 2},
    "large": {"width": 192, "depth": 3},
}


class ResMLPSpec(NamingSpec, SizedSpec):
    """Residual blocks of equal width: tiny 1 x 8, small 1 x 16, base 2 x 96, large 3 x 192."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS

    widening: float = Field(
        2.0,
        ge=0.5,
        le=4,
        description="Inner width of a block as a multiple of the width.",
        json_schema_extra=unit("times", advanced=True),
    )
    dropout: float = Field(
        0.0,
        ge=0,
        le=0.8,
        description="Share of a block's inner units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )
    activation: Activation = Field(
        "relu", description="Function inside the blocks.", json_schema_extra=unit("name", advanced=True)
    )


class Block(nn.Module):
    """x + Linear(Dropout(activation(Linear(LayerNorm(x))))). Shape: (N, D) -> (N, D)."""

    def __init__(self, width: int, spec: ResMLPSpec) -> None:
        super().__init__()
        inner = max(1, round(width * spec.widening))
        layers: list[nn.Module] = [nn.LayerNorm(width), nn.Linear(width, inner), activation(spec.activation)]
        if spec.dropout:
            layers.append(nn.Dropout(spec.dropout))
        self.inner = nn.Sequential(*layers, nn.Linear(inner, width))

    def forward(self, x_ND: Tensor) -> Tensor:
        residual: Tensor = self.inner(x_ND)
        return x_ND + residual


class ResMLP(nn.Module):
    """Residual blocks, each normalised at its entrance.

    LayerNorm stands where the paper has BatchNorm: an answer then never depends on the other rows of a batch.

    Shape: x (N, F) -> logits (N, C), features (N, width).
    Source: ResNet of arXiv:2106.11959, section 3.2.
    """

    def __init__(self, spec: ResMLPSpec, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        width, depth = spec.shape()
        self.first = nn.Linear(num_inputs, width)
        self.blocks = nn.Sequential(*(Block(width, spec) for _ in range(depth)))
        self.last = nn.Sequential(nn.LayerNorm(width), activation(spec.activation))
        self.head = nn.Linear(width, num_outputs)

    def forward(self, x_NF: Tensor) -> Outputs:
        features = self.last(self.blocks(self.first(x_NF)))
        return Outputs(self.head(features), features)


@ARCHS.register(
    "resmlp",
    title="Residual MLP",
    spec=ResMLPSpec,
    source="arXiv:2106.11959",
    roles=("student", "teacher"),
    takes=(TABLE,),
    presets=PRESETS,
    dense=True,
)
def build(spec: ResMLPSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a residual multilayer perceptron."""
    return ResMLP(spec, inputs.width, num_outputs)
