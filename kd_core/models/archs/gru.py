"""A recurrent network over a history of items: what it remembers after the newest one says which comes next."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.data.input_spec import InputSpec
from kd_core.models.base import ARCHS, Array, Outputs, SizeName
from kd_core.models.items.table import ItemTable
from kd_core.models.reshape.units import Place, Units
from kd_core.models.short_numbers import halve
from kd_core.specs import Spec, unit

# numbers per item and units that remember
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"embedding": 8, "width": 16},
    "small": {"embedding": 16, "width": 32},
    "base": {"embedding": 32, "width": 64},
    "large": {"embedding": 64, "width": 128},
}


class GRUSpec(Spec):
    """One recurrent layer: tiny 8 x 16, small 16 x 32, base 32 x 64, large 64 x 128 (numbers per item x units)."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS

    size: SizeName | None = Field("small", description="Size by name; empty for a shape of one's own.")
    embedding: int = Field(
        16, ge=1, le=1024, description="Numbers per item, where no size is named.", json_schema_extra=unit("units")
    )
    width: int = Field(
        32, ge=1, le=1024, description="Units that remember, where no size is named.", json_schema_extra=unit("units")
    )
    dropout: float = Field(
        0.2,
        ge=0,
        le=0.8,
        description="Share of hidden units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )


class GRU(nn.Module):
    """The state after the newest item, compared with every item of the catalogue.

    Shape: x (N, L) item numbers, the newest last, 0 on the left -> logits (N, C), features (N, D).
    Source: GRU4Rec arXiv:1511.06939, with the full softmax and one table for what is read and what is scored.
    """

    def __init__(self, spec: GRUSpec, inputs: InputSpec, num_outputs: int) -> None:
        super().__init__()
        shape = PRESETS[spec.size] if spec.size else {"embedding": spec.embedding, "width": spec.width}
        self.table = ItemTable(inputs, num_outputs, shape["embedding"], shape["width"])
        self.layer = nn.GRU(shape["embedding"], shape["width"], batch_first=True)
        self.dropout = nn.Dropout(spec.dropout)

    def forward(self, x_NL: Tensor) -> Outputs:
        # The layer reads what fills up after the newest item, where nothing is taken from it any more.
        length = x_NL.shape[1]
        count_N1 = (x_NL > 0).sum(dim=1, keepdim=True)
        at_NL = torch.arange(length, device=x_NL.device).unsqueeze(0) - count_N1
        x_NL = x_NL.gather(1, torch.where(at_NL < 0, at_NL + length, at_NL))
        states_NLD = self.layer(self.dropout(self.table(x_NL)))[0]
        last_N11 = (count_N1 - 1).clamp(min=0).unsqueeze(2)
        features = states_NLD.gather(1, last_N11.expand(-1, 1, states_NLD.shape[2]))[:, 0] * count_N1.clamp(
            max=1
        )  # of no history, no state
        return Outputs(self.table.scores(self.dropout(features)), features)

    def units(self) -> tuple[Units, ...]:
        """Name the numbers of an item's vector and the units that remember, with all their gates; one group where a state is such a vector."""
        width, columns, narrow = self.layer.hidden_size, self.layer.input_size, self.table.narrows
        gates = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        memory = [Place.every(f"layer.{name}_l0", 0, width, 3) for name in gates]
        memory.append(Place.every("layer.weight_hh_l0", 1, width))
        vectors = [Place.every("table.vectors.weight", 1, columns), Place.every("layer.weight_ih_l0", 1, columns)]
        apart = self.table.compared
        held = columns if apart is None else apart.shape[1]  # of what states are compared with
        asked = [Place.every(f"table.narrow.{own}", 0, held) for own in ("weight", "bias")] if narrow else memory
        found = []
        if narrow:
            found.append(Units("layer", "units", ((*memory, Place.every("table.narrow.weight", 1, width)),)))
        if apart is None:
            vectors += asked
        else:
            found.append(Units("table.compared", "units", ((*asked, Place.every("table.compared", 1, held)),)))
        return (*found, Units("table.vectors", "columns", (tuple(vectors),)))

    def shorten(self, x_NL: Array) -> None:
        """Round what was learned: vectors of items to one byte a number, the rest to float16."""
        self.table.shorten()
        halve(self.layer.parameters())


@ARCHS.register(
    "gru",
    title="Recurrent network over items",
    spec=GRUSpec,
    source="arXiv:1511.06939",
    roles=("student", "teacher"),
    takes=("sequence",),
    gives=frozenset({"logits", "features"}),
    presets=PRESETS,
    candidates={"tiny": 30, "small": 50, "base": 70},
    row_seconds=lambda inputs: 0.9e-6 * inputs.width,  # embedding, masks and gates are many small operations
    epochs_share=0.9,  # of histories it goes on learning for long
    batch=256,  # scores of ten thousand items for more rows leave the processor's cache: twice as slow a row
)
def build(spec: GRUSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a recurrent network over a history of items."""
    return GRU(spec, inputs, num_outputs)
