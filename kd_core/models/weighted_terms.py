"""What networks make of rows of weighted terms, as the view `ngrams` gives them. Legend: N rows, L terms of a row, D width."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from kd_core.data.input_spec import TERM, InputSpec


class WeightedTerms(nn.Module):
    """Adds up the vectors of a row's terms, each times its weight, the weights brought to length 1.

    `terms`: the first so many are known, the others count for nothing. Shape: x (N, L) -> (N, D).
    """

    def __init__(self, inputs: InputSpec, terms: int, width: int, start: float) -> None:
        super().__init__()
        self.terms = min(terms, inputs.high // TERM - 1)
        self.vectors = nn.Parameter(torch.randn(self.terms + 1, width) * start)

    def forward(self, x_NL: Tensor) -> Tensor:
        known = (x_NL >= TERM) & (x_NL < (self.terms + 1) * TERM)
        if (
            x_NL.is_meta or torch.onnx.is_in_onnx_export()
        ):  # the same in operations that every runtime has, with as many for every row
            numbers = torch.where(known, x_NL // TERM, 0).long()
            weights = torch.where(known, x_NL % TERM, 0).float()
            scale = weights.square().sum(dim=1, keepdim=True).clamp(min=1).sqrt()
            return (weights.unsqueeze(1) @ self.vectors[numbers]).squeeze(1) / scale
        counts = known.sum(dim=1)
        at = known.reshape(-1).nonzero().squeeze(1)
        flat, row = x_NL.reshape(-1).index_select(0, at), at // x_NL.shape[1]
        weights = (flat % TERM).float()
        scale = weights.new_zeros(len(x_NL)).index_add_(0, row, weights.square()).clamp_(min=1).sqrt_()
        weights = weights / scale.index_select(0, row)
        starts = (counts.cumsum(0) - counts).int()
        added: Tensor = functional.embedding_bag(
            flat // TERM, self.vectors, starts, mode="sum", per_sample_weights=weights
        )
        return added
