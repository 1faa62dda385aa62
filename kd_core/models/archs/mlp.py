"""A multilayer perceptron: the usual student on tables."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from kd_core.data.input_spec import TABLE, InputSpec
from kd_core.models.activations import Activation, activation
from kd_core.models.base import ARCHS, Outputs
from kd_core.models.shape import NamingSpec, SizedSpec
from kd_core.specs import unit

# small stays below 2,500 parameters up to 100 encoded columns.
# On 28 inputs and 2 outputs: 250, 1,042, 20,482 and 139,522 parameters.
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 8, "depth": 1},
    "small": {"width": 20, "depth": 2},
    "base": {"width": 128, "depth": 2},
    "large": {"width": 256, "depth": 3},
}


class MLPSpec(NamingSpec, SizedSpec):
    """Hidden layers of equal width: tiny 1 x 8, small 2 x 20, base 2 x 128, large 3 x 256."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS

    dropout: float = Field(
        0.0,
        ge=0,
        le=0.8,
        description="Share of hidden units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )
    activation: Activation = Field(
        "relu", description="Function between the layers.", json_schema_extra=unit("name", advanced=True)
    )


class MLP(nn.Module):
    """Affine maps with an activation between them.

    Shape: x (N, F) -> logits (N, C), features (N, width) after the last activation.
    """

    def __init__(self, spec: MLPSpec, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        width, depth = spec.shape()
        layers: list[nn.Module] = []
        for i in range(depth):
            layers += [nn.Linear(num_inputs if i == 0 else width, width), activation(spec.activation)]
            if spec.dropout:
                layers.append(nn.Dropout(spec.dropout))
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, num_outputs)

    def forward(self, x_NF: Tensor) -> Outputs:
        features = self.body(x_NF)
        return Outputs(self.head(features), features)


@ARCHS.register(
    "mlp",
    title="MLP",
    spec=MLPSpec,
    roles=("student", "teacher"),
    takes=(TABLE,),
    presets=PRESETS,
    candidates={"small": 80},
    dense=True,
)
def build(spec: MLPSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a multilayer perceptron."""
    return MLP(spec, inputs.width, num_outputs)
