"""A small transformer over word pieces: attention finds which words matter together."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.data.input_spec import InputSpec
from kd_core.models.base import ARCHS, Outputs
from kd_core.models.reshape.units import Place, Units
from kd_core.models.shape import SizedSpec
from kd_core.specs import unit

# Legend: N rows, L tokens, D width, H heads.
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 16, "depth": 1},
    "small": {"width": 32, "depth": 2},
    "base": {"width": 96, "depth": 2},
    "large": {"width": 192, "depth": 4},
}
_NUMBERS_AT_ONCE = 2**24  # attention weights of one pass without gradients: 64 MB
_FILLED = -1e9  # added to the attention that a place of no word gets


class TextTransformerSpec(SizedSpec):
    """Attention blocks over word pieces: tiny 1 block of width 16, small 2 of 32, base 2 of 96, large 4 of 192."""

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS

    heads: int = Field(
        4,
        ge=1,
        le=32,
        description="Attention heads; at most the width.",
        json_schema_extra=unit("heads", advanced=True),
    )
    dropout: float = Field(
        0.1,
        ge=0,
        le=0.8,
        description="Share of inner units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )


class Block(nn.Module):
    """Attention among the words, then two layers for each, both normalised at their entrance and added to their input."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.each = heads, width // heads
        self.norm_attention, self.norm_inner = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked = nn.Linear(width, 3 * width)
        self.told = nn.Linear(width, width)
        self.inner = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_NLD: Tensor, away_N11L: Tensor, shown: dict[str, Tensor] | None = None) -> Tensor:
        """Apply the block; into `shown` go query, key and value (N, L, D), all heads side by side."""
        asked_NLD3 = self.asked(self.norm_attention(x_NLD))
        if shown is not None:
            shown |= dict(zip(("query", "key", "value"), asked_NLD3.chunk(3, dim=-1), strict=True))
        asked = asked_NLD3.unflatten(-1, (3, self.heads, -1))
        query, key, value = asked.permute(2, 0, 3, 1, 4).unbind(0)
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1]) + away_N11L
        found = (torch.softmax(scores, dim=-1) @ value).transpose(1, 2).flatten(2)
        x = x_NLD + self.dropout(self.told(found))
        out: Tensor = x + self.dropout(self.inner(self.norm_inner(x)))
        return out

    def resized(self) -> None:
        """Have as many heads as there are numbers for."""
        self.heads = self.told.in_features // self.each

    def units(self) -> tuple[Units, ...]:
        """Name the heads, with what each asks, offers and says."""
        within = np.arange(self.heads * self.each).reshape(self.heads, self.each)
        asked = np.concatenate([within + turn * within.size for turn in range(3)], axis=1)
        places = Place("asked.weight", 0, asked), Place("asked.bias", 0, asked), Place("told.weight", 1, within)
        return (Units("asked", "heads", (places,)),)


class TextTransformer(nn.Module):
    """The mean of what the blocks make of the words decides.

    Shape: x (N, L) token numbers, 0 fills up -> logits (N, C), features (N, D).
    Source: arXiv:1706.03762, normalised at the entrance (arXiv:2002.04745).
    """

    def __init__(self, spec: TextTransformerSpec, inputs: InputSpec, num_outputs: int) -> None:
        super().__init__()
        width, depth = spec.shape()
        heads = next(h for h in range(min(spec.heads, width), 0, -1) if width % h == 0)
        length = inputs.shape[0]
        self.embedding = nn.Embedding(inputs.high, width, padding_idx=0)
        self.place = nn.Parameter(torch.empty(length, width))
        nn.init.normal_(self.place, std=0.1)
        self.blocks = nn.ModuleList(Block(width, heads, spec.dropout) for _ in range(depth))
        self.rows_at_once = max(1, _NUMBERS_AT_ONCE // (heads * length**2))
        self.norm = nn.LayerNorm(width)
        self.shows_relations = False
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(width, num_outputs)

    def forward(self, x_NL: Tensor) -> Outputs:
        words_NL = (x_NL > 0).float()
        away = ((1 - words_NL) * _FILLED)[:, None, None, :]
        x = self.dropout(self.embedding(x_NL) + self.place)
        shown: dict[str, Tensor] = {"words": words_NL} if self.shows_relations else {}
        for number, block in enumerate(self.blocks, 1):
            x = block(x, away, shown if shown and number == len(self.blocks) else None)
        shown |= {"word": x} if shown else {}
        count = words_NL.sum(dim=1, keepdim=True).clamp(min=1)  # a text without words has a mean of nothing: 0
        features = (self.norm(x) * words_NL.unsqueeze(2)).sum(dim=1) / count
        return Outputs(self.head(self.dropout(features)), features, hidden=shown)


@ARCHS.register(
    "text_transformer",
    title="Small transformer",
    spec=TextTransformerSpec,
    source="arXiv:1706.03762",
    roles=("student", "teacher"),
    takes=("tokens",),
    gives=frozenset({"logits", "features", "head", "relations"}),
    presets=PRESETS,
    candidates={"tiny": 95},
    slower=3.0,  # than its matrix products alone: attention works on many small pieces
)
def build(spec: TextTransformerSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a small transformer over word pieces."""
    return TextTransformer(spec, inputs, num_outputs)
