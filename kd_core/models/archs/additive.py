"""An additive model: one curve a column and tables of some pairs, added up; readable by people, and a few hundred numbers large."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.data.input_spec import COLUMNS, InputSpec
from kd_core.models.base import ARCHS, Outputs
from kd_core.models.pairs.fitting import fit_curves
from kd_core.models.piecewise_front import CELLS, PAST_ALL, Fronted
from kd_core.models.shape import NamingSpec
from kd_core.specs import unit

EDGES = 32
USUAL_PAIRS = 8  # of 4, 8, 16 and 32 the last that gains much on validation rows (bike_sharing: RMSE 97.1 -> 57.5, 53.2, 51.6, 51.4)
Floats = npt.NDArray[np.float32]


class Table(NamedTuple):
    """What a pair of features adds: values of each at which it bends, and the logits there. Shape: (A,), (B,), (A, B, C)."""

    features: tuple[int, int]
    values: tuple[Floats, Floats]
    added: Floats


class AdditiveSpec(NamingSpec):
    """How finely the curves are drawn, and how many pairs there may be."""

    later = (*NamingSpec.later, "pairs")

    edges: int = Field(
        EDGES,
        ge=4,
        le=256,
        description="Edges of a number, between which its curve is straight; all get fewer where there are more than ten numbers.",
        json_schema_extra=unit("edges"),
    )

    pairs: int = Field(
        0,
        ge=0,
        le=32,
        description="Most pairs of features that get a small table of their own beside the curves, for what two say only together; those that "
        "tell most are taken, and none that tells no more than chance would.",
        json_schema_extra=unit("pairs"),
    )

    def num_edges(self) -> int:
        """Edges of a number."""
        return self.edges

    def prepared_by(self) -> tuple[int, int]:
        """Edges and pairs."""
        return self.edges, self.pairs


class Additive(Fronted):
    """A piecewise-linear curve of every number, a weight of every other feature, and for some pairs a table between whose values it is straight, added up.

    Shape: x (N, F) -> logits (N, C); no hidden layer, so no features.
    Source: Lou et al. 2012 (generalised additive models), 2013 (pairs); edges as arXiv:2203.05556.
    """

    def __init__(self, spec: AdditiveSpec, inputs: InputSpec, num_outputs: int) -> None:
        super().__init__(inputs, spec.num_edges(), num_outputs, spec.pairs)

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

    def pairs(self) -> list[Table]:
        """Return what two features add together, beside their curves: nothing where one is at its first value, flat beyond the ends."""
        sides = self.front.sides
        if sides is None:
            return []
        weight = self.first.weight.detach()[:, self.front.layout.alone : self.front.layout.encoded]
        found = []
        for start in range(0, self.front.layout.products, CELLS):
            of = [t.view(2, -1)[:, start : start + CELLS] for t in sides]
            there = (of[1] < PAST_ALL).all(0)
            if not there.any():
                continue
            source, low, scale = (t[:, there] for t in of)
            (first, rows), (second, columns) = (_nodes(low[side], scale[side]) for side in (0, 1))
            table = weight.new_zeros(len(first), len(second), len(weight))
            table[1:, 1:] = weight[:, start : start + CELLS][:, there].T.view(rows, columns, -1).cumsum(0).cumsum(1)
            found.append(Table((int(source[0, 0]), int(source[1, 0])), (first, second), table.numpy()))
        return found

    def level(self) -> npt.NDArray[np.float32]:
        """Return the logits of a row at the beginning of all curves. Shape: (C,)."""
        found: npt.NDArray[np.float32] = self.front.folded(self.first.weight, self.first.bias)[1].detach().numpy()
        return found

    def missing(self) -> dict[int, npt.NDArray[np.float32]]:
        """Return, by feature with holes, what a hole adds to the logits beside the curve at 0. Shape: (C,) each."""
        holes = self.front.layout.holes
        at = self.front.layout.alone - len(holes)
        weight = self.first.weight.detach()
        return {feature: weight[:, at + k].numpy() for k, feature in enumerate(holes)}


def _nodes(low: Tensor, scale: Tensor) -> tuple[Floats, int]:
    """Return the values at which one side of a table bends, and how many pieces lie between them."""
    each, at = torch.unique(low, return_inverse=True)
    last = scale[at == len(each) - 1][:1]
    return torch.cat([each, each[-1:] + 1 / last]).numpy(), len(each)


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
    named={"pairs": {"pairs": USUAL_PAIRS}},
    candidates={"pairs": 50},
    flops=Fronted.flops,
    smaller_file=lambda settings: settings.pairs > 0,  # the tables that its rows call for, of so many
    prepares=fit_curves,
    prepared_by=AdditiveSpec.prepared_by,
)
def build(spec: AdditiveSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build an additive model."""
    return Additive(spec, inputs, num_outputs)
