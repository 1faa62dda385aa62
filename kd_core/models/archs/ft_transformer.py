"""A transformer over columns: each column is a token, attention finds which columns matter together."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.data.input_spec import TABLE, InputSpec
from kd_core.models.base import ARCHS, Outputs
from kd_core.models.shape import SizedSpec
from kd_core.specs import unit

# Legend: N rows, F columns, G tokens, D width, H heads, E = D / H.
MOST_TOKENS = 128  # attention needs batch x heads x tokens squared numbers: 128 MB at 256 rows and 8 heads
_NUMBERS_AT_ONCE = 2**24  # attention weights of one pass without gradients: 64 MB
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 16, "depth": 1},
    "small": {"width": 32, "depth": 2},
    "base": {"width": 64, "depth": 2},
    "large": {"width": 192, "depth": 3},
}


class FTTransformerSpec(SizedSpec):
    """Attention blocks over the columns: base 2 blocks of width 64, large 3 of 192 (the paper's default).

    Above 128 encoded columns neighbours share a token, so that there are never more than 128.
    """

    presets: ClassVar[dict[str, dict[str, int]]] = PRESETS

    heads: int = Field(
        8,
        ge=1,
        le=32,
        description="Attention heads; at most the width.",
        json_schema_extra=unit("heads", advanced=True),
    )
    attention_dropout: float = Field(
        0.2,
        ge=0,
        le=0.8,
        description="Share of attention weights silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )
    dropout: float = Field(
        0.1,
        ge=0,
        le=0.8,
        description="Share of inner units silenced at each training step.",
        json_schema_extra=unit("share", advanced=True),
    )


# Attention keeps batch x heads x tokens squared numbers for the backward pass.
TEACHING = {
    "size": Field("small", description="Size by name; base and large want a GPU."),
    "batch_size": Field(
        256,
        ge=8,
        le=4096,
        description="Rows per step; attention keeps much for each row.",
        json_schema_extra=unit("rows", advanced=True),
    ),
}


def columns_per_token(num_inputs: int) -> int:
    """Count the neighbouring columns that share a token: 1 up to 128 columns."""
    return math.ceil(num_inputs / MOST_TOKENS)


def shared_columns(inputs: InputSpec) -> dict[str, str] | None:
    """Say when columns must share tokens."""
    if (shared := columns_per_token(inputs.width)) == 1:
        return None
    return {
        "code": "columns_share_tokens",
        "message": f"The {inputs.width} encoded columns share tokens, {shared} neighbours each: "
        f"attention works on at most {MOST_TOKENS}.",
        "hint": "Drop columns with many categories, or choose gradient boosting, which takes all columns.",
    }


class Tokenizer(nn.Module):
    """Turn columns into tokens: value times a learned vector, plus a learned bias; a leading token collects the answer.

    Shape: (N, F) -> (N, 1 + G, D). Source: arXiv:2106.11959, section 3.3.
    """

    def __init__(self, num_inputs: int, width: int) -> None:
        super().__init__()
        self.per_token = columns_per_token(num_inputs)
        self.tokens = math.ceil(num_inputs / self.per_token)
        self.padding = self.tokens * self.per_token - num_inputs
        bound = 1 / math.sqrt(width)
        self.weight = nn.Parameter(torch.empty(num_inputs, width))
        self.bias = nn.Parameter(torch.empty(self.tokens, width))
        self.answer = nn.Parameter(torch.empty(width))
        for parameter in (self.weight, self.bias, self.answer):
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x_NF: Tensor) -> Tensor:
        tokens_NFD = x_NF.unsqueeze(-1) * self.weight
        if self.per_token > 1:
            padded = nn.functional.pad(tokens_NFD, (0, 0, 0, self.padding))
            tokens_NFD = padded.reshape(len(x_NF), self.tokens, self.per_token, -1).sum(dim=2)
        tokens_NGD = tokens_NFD + self.bias
        first = self.answer.expand(tokens_NGD.shape[0], 1, -1)
        return torch.cat([first, tokens_NGD], dim=1)


class Attention(nn.Module):
    """Multi-head self-attention. Shape: (N, G, D) -> (N, G, D); with `only_first` (N, 1, D)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, nn.Dropout(dropout)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x_NGD: Tensor, only_first: bool) -> Tensor:
        asking = x_NGD[:, :1] if only_first else x_NGD
        query = self.query(asking).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        key, value = self.key_value(x_NGD).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        weights = torch.softmax(query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1]), dim=-1)
        weights = self.dropout(weights)
        answer: Tensor = self.out((weights @ value).transpose(1, 2).flatten(2))
        return answer


class Block(nn.Module):
    """Attention, then a gated feed-forward network, each normalised at its entrance and added to its input."""

    def __init__(self, width: int, heads: int, spec: FTTransformerSpec, first: bool) -> None:
        super().__init__()
        inner = max(1, round(width * 4 / 3))
        # The first block has no normalisation before attention. Source: arXiv:2106.11959, section 3.3.
        self.norm_attention = nn.Identity() if first else nn.LayerNorm(width)
        self.attention = Attention(width, heads, spec.attention_dropout)
        self.norm_inner = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 2 * inner)
        self.narrow = nn.Linear(inner, width)
        self.dropout = nn.Dropout(spec.dropout)

    def forward(self, x_NGD: Tensor, only_first: bool) -> Tensor:
        kept = x_NGD[:, :1] if only_first else x_NGD
        x = kept + self.attention(self.norm_attention(x_NGD), only_first)
        value, gate = self.widen(self.norm_inner(x)).chunk(2, dim=-1)
        out: Tensor = x + self.narrow(self.dropout(value * torch.relu(gate)))
        return out


class FTTransformer(nn.Module):
    """Feature tokenizer and transformer.

    Shape: x (N, F) -> logits (N, C), features (N, D) of the answer token.
    Source: arXiv:2106.11959 (FT-Transformer, ReGLU, pre-norm).
    """

    def __init__(self, spec: FTTransformerSpec, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        width, depth = spec.shape()
        heads = next(h for h in range(min(spec.heads, width), 0, -1) if width % h == 0)
        self.tokenizer = Tokenizer(num_inputs, width)
        self.blocks = nn.ModuleList(Block(width, heads, spec, first=i == 0) for i in range(depth))
        self.rows_at_once = max(1, _NUMBERS_AT_ONCE // (heads * (self.tokenizer.tokens + 1) ** 2))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, num_outputs)

    def forward(self, x_NF: Tensor) -> Outputs:
        tokens = self.tokenizer(x_NF)
        for i, block in enumerate(self.blocks):
            # Only the answer token is read at the end, so the last block computes nothing else.
            tokens = block(tokens, only_first=i == len(self.blocks) - 1)
        features = torch.relu(self.norm(tokens[:, 0]))
        return Outputs(self.head(features), features)


@ARCHS.register(
    "ft_transformer",
    title="FT-Transformer",
    spec=FTTransformerSpec,
    source="arXiv:2106.11959",
    roles=("teacher",),
    not_both="its attention over the columns takes 3 to 6 times as long as an MLP of the same bytes",
    takes=(TABLE,),
    presets=PRESETS,
    teaching=TEACHING,
    warning=shared_columns,
    slower=4.0,  # than its matrix products alone: attention works on many small pieces
)
def build(spec: FTTransformerSpec, inputs: InputSpec, num_outputs: int) -> nn.Module:
    """Build a transformer over columns."""
    return FTTransformer(spec, inputs.width, num_outputs)
