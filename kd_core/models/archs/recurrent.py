"""A recurrent network over word pieces: it reads a text in order, forwards and backwards, and keeps what it needs."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.data.input_spec import InputSpec
from kd_core.models.base import ARCHS, Outputs, SizeName
from kd_core.models.reshape.units import Place, Units
from kd_core.specs import Spec, unit

# numbers per word piece and units of each direction
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"embedding": 8, "width": 16},
    "small": {"embedding": 24, "width": 32},
    "base": {"embedding": 64, "width": 96},
    "large": {"embedding": 128, "width": 192},
}
_CELLS: dict[str, type[nn.GRU | nn.LSTM]] = {"gru": nn.GRU, "lstm": nn.LSTM}


class RecurrentSpec(Spec):
    """One recurrent layer: tiny 8 x 16, small 24 x 32, base 64 x 96, large 128 x 192 (numbers per piece x units a direction)."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS

    size: SizeName | None = Field("small", description="Size by name; empty for a shape of one's own.")
    cell: Literal["gru", "lstm"] = Field(
        "gru", description="gru: two gates; lstm: three gates and a memory of its own, a third more weights."
    )
    directions: Literal[1, 2] = Field(
        2, description="1: forwards; 2: forwards and backwards.", json_schema_extra=unit("directions")
    )
    embedding: int = Field(
        24,
        ge=1,
        le=1024,
        description="Numbers per word piece, where no size is named.",
        json_schema_extra=unit("units"),
    )
    width: int = Field(
        32,
        ge=1,
        le=1024,
        description="Units of each direction, where no size is named.",
        json_schema_extra=unit("units"),
    )
    dropout: float = Field(
        0.2,
        ge=0,
        le=0.8,
        description="Share of hidden units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )


class Recurrent(nn.Module):
    """The strongest answer of each unit anywhere in the text decides.

    Shape: x (N, L) token numbers, 0 fills up -> logits (N, C), features (N, units of all directions).
    Source: GRU arXiv:1406.1078; LSTM Hochreiter, Schmidhuber 1997; the largest over time arXiv:1705.02364.
    """

    def __init__(self, spec: RecurrentSpec, inputs: InputSpec, num_outputs: int) -> None:
        super().__init__()
        shape = PRESETS[spec.size] if spec.size else {"embedding": spec.embedding, "width": spec.width}
        self.embedding = nn.Embedding(inputs.high, shape["embedding"], padding_idx=0)
        cell, both = _CELLS[spec.cell], spec.directions == 2
        self.layer = cell(shape["embedding"], shape["width"], batch_first=True, bidirectional=both)
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(spec.directions * shape["width"], num_outputs)

    def forward(self, x_NL: Tensor) -> Outputs:
        states_NLD = self.layer(self.embedding(x_NL))[0]
        # What fills up counts for nothing; all states lie above -1, so a text without words gets -1 everywhere.
        features = torch.where((x_NL > 0).unsqueeze(2), states_NLD, -1.0).amax(dim=1)
        return Outputs(self.head(self.dropout(features)), features)

    def units(self) -> tuple[Units, ...]:
        """Name the columns of the embedding and the units of each direction, with all their gates."""
        width, gates = self.layer.hidden_size, self.layer.get_parameter("bias_hh_l0").numel() // self.layer.hidden_size
        ends = ("l0", "l0_reverse") if self.layer.bidirectional else ("l0",)
        lanes = []
        for direction, end in enumerate(ends):
            own = [
                Place.every(f"layer.{name}_{end}", 0, width, gates)
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            ]
            recalled = Place.every(f"layer.weight_hh_{end}", 1, width)
            lanes.append((*own, recalled, Place.every("head.weight", 1, width, offset=direction * width)))
        columns = self.layer.input_size
        rows = [Place.every(f"layer.weight_ih_{end}", 1, columns) for end in ends]
        embedded = Place.every("embedding.weight", 1, columns), *rows
        return Units("embedding", "columns", (embedded,)), Units("layer", "units", tuple(lanes))


@ARCHS.register(
    "recurrent",
    title="Recurrent network",
    spec=RecurrentSpec,
    source="arXiv:1406.1078",
    roles=("student", "teacher"),
    takes=("tokens",),
    presets=PRESETS,
    candidates={"small": 105},
    slower=4.0,  # than its matrix products alone: one step after another
)
def build(spec: RecurrentSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a recurrent network over word pieces."""
    return Recurrent(spec, inputs, num_outputs)
