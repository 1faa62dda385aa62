"""An additive model: one curve a column, added up; readable by people, and a few hundred numbers large."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.data.input_spec import COLUMNS, InputSpec
from kd_core.models.base import ARCHS, Outputs
from kd_core.models.piecewise_edges import fit_edges
from kd_core.models.piecewise_front import PAST_ALL, Fronted
from kd_core.models.shape import NamingSpec
from kd_core.specs import unit

EDGES = 32


class AdditiveSpec(NamingSpec):
    """How finely the curves are drawn."""

    edges: int = Field(
        EDGES,
        ge=4,
        le=256,
        description="Edges of a number, between which its curve is straight; all get fewer where there are more than ten numbers.",
        json_schema_extra=unit("edges"),
    )

    def num_edges(self) -> int:
        """Edges of a number."""
        return self.edges


class Additive(Fronted):
    """A piecewise-linear curve of every number and a weight of every other feature, added up.

    Shape: x (N, F) -> logits (N, C); no hidden layer, so no features.
    Source: Lou et al. 2012 (generalised additive models); edges as arXiv:2203.05556.
    """

    def __init__(self, spec: AdditiveSpec, inputs: InputSpec, num_outputs: int) -> None:
        super().__init__(inputs, spec.num_edges(), num_outputs)

    def forward(self, x_NF: Tensor) -> Outputs:
        return Outputs(self.lifted(x_NF))

    def curves(self) -> dict[int, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
        """Return, by feature, the values at which its curve bends and what it adds to the logits there, beside `level`.

        Before, between and after them a curve is flat, straight and flat; it begins at 0. With
        `missing`, all add up to the logits. Shape: (E,), (E, C) each.
        """
        front, layout = self.front, self.front.layout
        with torch.no_grad():
            weight, _ = front.folded(self.first.weight, self.first.bias)
        found, at = {}, 0
        pieces = [*zip(layout.numbers, layout.pieces, strict=True), *((feature, 1) for feature in layout.plain)]
        for feature, count in pieces:
            there = torch.arange(at, at + count)[front.low[at : at + count] < PAST_ALL]
            at += count
            if not len(there):  # one value in all training rows: it adds nothing
                continue
            low, width = front.low[there], 1 / front.scale[there]
            added = torch.cat([weight.new_zeros(1, len(weight)), weight[:, there].T.cumsum(0)])
            found[feature] = torch.cat([low, low[-1:] + width[-1:]]).numpy(), added.numpy()
        return found

    def level(self) -> npt.NDArray[np.float32]:
        """Return the logits of a row at the beginning of all curves. Shape: (C,)."""
        found: npt.NDArray[np.float32] = self.front.folded(self.first.weight, self.first.bias)[1].detach().numpy()
        return found

    def missing(self) -> dict[int, npt.NDArray[np.float32]]:
        """Return, by feature with holes, what a hole adds to the logits beside the curve at 0. Shape: (C,) each."""
        holes = self.front.layout.holes
        at = self.front.layout.encoded - len(holes)
        weight = self.first.weight.detach()
        return {feature: weight[:, at + k].numpy() for k, feature in enumerate(holes)}


@ARCHS.register(
    "additive",
    title="Additive curves",
    spec=AdditiveSpec,
    source="arXiv:2203.05556",
    roles=("student",),
    not_both="one curve a column is made to be small and read, not to be right",
    takes=(COLUMNS,),
    gives=frozenset({"logits"}),
    presets={},
    candidates={None: 50},
    flops=Fronted.flops,
    prepares=fit_edges,
    prepared_by=AdditiveSpec.num_edges,
)
def build(spec: AdditiveSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build an additive model."""
    return Additive(spec, inputs, num_outputs)
