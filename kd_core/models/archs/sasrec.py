"""Self-attention over a history of items: which of them matter for the next one."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.data.input_spec import InputSpec
from kd_core.models.base import ARCHS, Array, Outputs, SizeName
from kd_core.models.items.table import START, ItemTable
from kd_core.models.short_numbers import halve
from kd_core.specs import Spec, unit

# Legend: N rows, L items of a history, Q places that ask, D width, H heads.
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"embedding": 8, "width": 16, "depth": 1},
    "small": {"embedding": 16, "width": 32, "depth": 1},
    "base": {"embedding": 32, "width": 64, "depth": 2},
    "large": {"embedding": 64, "width": 128, "depth": 2},
}
HEADS = 2
_FILLED = -1e9  # added to the attention that a place gets which may not be read


class SASRecSpec(Spec):
    """Attention blocks over items: tiny 8 numbers an item and 1 block of width 16, small 16, 1 of 32, base 32, 2 of 64, large 64, 2 of 128."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS

    size: SizeName | None = Field("small", description="Size by name; empty for a shape of one's own.")
    embedding: int = Field(
        16, ge=1, le=1024, description="Numbers per item, where no size is named.", json_schema_extra=unit("units")
    )
    width: int = Field(
        32,
        ge=2,
        le=1024,
        multiple_of=2,
        description="Width of the blocks, where no size is named.",
        json_schema_extra=unit("units"),
    )
    depth: int = Field(1, ge=1, le=8, description="Blocks, where no size is named.", json_schema_extra=unit("blocks"))
    dropout: float = Field(
        0.2,
        ge=0,
        le=0.8,
        description="Share of inner units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )


class Block(nn.Module):
    """Each place asks itself and what came before, then two layers; both normalised at their entrance and added to their input."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm_attention, self.norm_inner = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked, self.known = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.told = nn.Linear(width, width)
        self.inner = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_NLD: Tensor, away_N1QL: Tensor) -> Tensor:
        """Apply the block to the last Q places. Shape: (N, L, D), (N, 1, Q, L) -> (N, Q, D)."""
        asking, normed = away_N1QL.shape[2], self.norm_attention(x_NLD)
        query = self.asked(normed[:, -asking:]).unflatten(-1, (HEADS, -1)).transpose(1, 2)
        key, value = self.known(normed).unflatten(-1, (2, HEADS, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1]) + away_N1QL
        found = (torch.softmax(scores, dim=-1) @ value).transpose(1, 2).flatten(2)
        x = x_NLD[:, -asking:] + self.dropout(self.told(found))
        out: Tensor = x + self.dropout(self.inner(self.norm_inner(x)))
        return out


class SASRec(nn.Module):
    """What the blocks make of the newest item's place, compared with every item of the catalogue.

    Shape: x (N, L) item numbers, the newest last, 0 on the left -> logits (N, C), features (N, D).
    Source: arXiv:1808.09781, with the full softmax (arXiv:2308.01127 measures what it gains), normalised at the entrance.
    """

    def __init__(self, spec: SASRecSpec, inputs: InputSpec, num_outputs: int) -> None:
        super().__init__()
        named = {"embedding": spec.embedding, "width": spec.width, "depth": spec.depth}
        shape = PRESETS[spec.size] if spec.size else named
        width, length = shape["width"], inputs.shape[0]
        self.table = ItemTable(inputs, num_outputs, shape["embedding"], width)
        self.wide = nn.Linear(shape["embedding"], width) if width != shape["embedding"] else nn.Identity()
        self.place = nn.Parameter(torch.randn(length, width) * START)  # counted from the newest: the last is its own
        self.blocks = nn.ModuleList(Block(width, spec.dropout) for _ in range(shape["depth"]))
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(spec.dropout)

    def states(self, x_NL: Tensor, asking: int) -> Tensor:
        """Return what the blocks make of the last places; none reads a later one. Shape: (N, L) -> (N, asking, D)."""
        length = x_NL.shape[1]
        known_NL1 = (x_NL > 0).float().unsqueeze(2)
        later_LL = torch.ones(length, length, device=x_NL.device).triu(1) * _FILLED
        away = ((1 - known_NL1.transpose(1, 2)) * _FILLED + later_LL).unsqueeze(1)
        x = self.dropout(self.wide(self.table(x_NL)) + self.place) * known_NL1
        for number, block in enumerate(self.blocks, 1):
            x = block(x, away[:, :, -asking:] if number == len(self.blocks) else away)
        found: Tensor = self.norm(x)
        return found

    def forward(self, x_NL: Tensor) -> Outputs:
        features = self.states(x_NL, 1)[:, 0]
        return Outputs(self.table.scores(self.dropout(features)), features)

    def shorten(self, x_NL: Array) -> None:
        """Round what was learned: vectors of items to one byte a number, the rest to float16."""
        self.table.shorten()
        halve(p for name, p in self.named_parameters() if not name.startswith("table."))


@ARCHS.register(
    "sasrec",
    title="Self-attention over items",
    spec=SASRecSpec,
    source="arXiv:1808.09781",
    roles=("student", "teacher"),
    takes=("sequence",),
    gives=frozenset({"logits", "features"}),
    presets=PRESETS,
    candidates={"tiny": 20, "small": 40, "base": 60},
    row_seconds=lambda inputs: 0.7e-6 * inputs.width,  # embedding, masks and gates are many small operations
    epochs_share=0.9,  # of histories it goes on learning for long
    batch=256,  # scores of ten thousand items for more rows leave the processor's cache: twice as slow a row
)
def build(spec: SASRecSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build self-attention over a history of items."""
    return SASRec(spec, inputs, num_outputs)
