"""A linear model: logistic or linear regression as a network without hidden layers."""

from __future__ import annotations

from torch import Tensor, nn

from kd_core.data.input_spec import TABLE, InputSpec
from kd_core.models.base import ARCHS, Outputs
from kd_core.models.shape import NamingSpec

RATE = 5.0  # one layer bears larger steps than a network, and a small table has too few steps for small ones


class LinearSpec(NamingSpec):
    """A linear model has no shape."""


class Linear(nn.Module):
    """One affine map from the columns to the logits.

    Shape: x (N, F) -> logits (N, C); no hidden layer, so no features.
    """

    def __init__(self, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        self.head = nn.Linear(num_inputs, num_outputs)

    def forward(self, x_NF: Tensor) -> Outputs:
        return Outputs(self.head(x_NF))


@ARCHS.register(
    "linear",
    title="Linear",
    spec=LinearSpec,
    roles=("student", "teacher"),
    takes=(TABLE,),
    gives=frozenset({"logits"}),
    presets={},
    candidates={None: 90},
    rate=RATE,
    dense=True,
)
def build(spec: LinearSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a linear model."""
    return Linear(inputs.width, num_outputs)
