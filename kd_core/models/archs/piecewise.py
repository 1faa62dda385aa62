"""A multilayer perceptron on piecewise-linear numbers: what a small network needs to keep up with trees on tables."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from kd_core.data.input_spec import COLUMNS, InputSpec
from kd_core.models.activations import activation
from kd_core.models.archs.mlp import MLPSpec
from kd_core.models.base import ARCHS, Outputs
from kd_core.models.piecewise_edges import fit_edges
from kd_core.models.piecewise_front import Fronted
from kd_core.models.reshape.thin import ThinLinear
from kd_core.models.reshape.units import Units, layer_units
from kd_core.specs import unit

# In two bytes a number, edges included, with ten numbers or more: 3, 15, 33 and 95 KB.
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 8, "depth": 1, "edges": 16},
    "small": {"width": 20, "depth": 2, "edges": 32},
    "base": {"width": 32, "depth": 2, "edges": 48},
    "large": {"width": 64, "depth": 2, "edges": 64},
}


class PiecewiseSpec(MLPSpec):
    """Hidden layers of equal width behind edges of numbers: tiny 1 x 8, small 2 x 20, base 2 x 32, large 2 x 64."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS

    edges: int | None = Field(
        None,
        ge=4,
        le=256,
        description="Edges of a number, between which it counts linearly; all get fewer where there are more than ten numbers. "
        "Taken from the size when empty, 32 without one.",
        json_schema_extra=unit("edges"),
    )

    def num_edges(self) -> int:
        """Edges after the preset is filled in."""
        return self.edges or PRESETS[self.size or "small"]["edges"]


class Piecewise(Fronted):
    """Affine maps with an activation between them, behind edges.

    Shape: x (N, F) -> logits (N, C), features (N, width) after the last activation.
    """

    def __init__(self, spec: PiecewiseSpec, inputs: InputSpec, num_outputs: int) -> None:
        width, depth = spec.shape()
        super().__init__(inputs, spec.num_edges(), width)
        layers: list[nn.Module] = []
        for i in range(depth):
            layers += [nn.Linear(width, width)] if i else []
            layers.append(activation(spec.activation))
            if spec.dropout:
                layers.append(nn.Dropout(spec.dropout))
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, num_outputs)

    def forward(self, x_NF: Tensor) -> Outputs:
        features = self.body(self.lifted(x_NF))
        return Outputs(self.head(features), features)

    def units(self) -> tuple[Units, ...]:
        """Name the units of each hidden layer; the edges before the first stay."""
        linear = [
            (f"body.{name}", one) for name, one in self.body.named_children() if isinstance(one, nn.Linear | ThinLinear)
        ]
        layers = [("first", self.first), *linear, ("head", self.head)]
        return tuple(layer_units(name, after, one.out_features) for (name, one), (after, _) in pairwise(layers))


@ARCHS.register(
    "piecewise",
    title="MLP on piecewise-linear numbers",
    spec=PiecewiseSpec,
    source="arXiv:2203.05556",
    roles=("student",),
    not_both="its edges are found from a teacher's answers",
    takes=(COLUMNS,),
    presets=PRESETS,
    candidates={"small": 10, "tiny": 30, "base": 60, "large": 100},
    flops=Fronted.flops,
    prepares=fit_edges,
    prepared_by=PiecewiseSpec.num_edges,
)
def build(spec: PiecewiseSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a multilayer perceptron on piecewise-linear numbers."""
    return Piecewise(spec, inputs, num_outputs)
