"""What networks make of rows of weighted terms, as the view `ngrams` gives them. Legend: N rows, L terms of a row, D width."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from kd_core.data.input_spec import TERM, InputSpec
from kd_core.models.short_numbers import from_bytes, halve, in_bytes

WIDE = 8  # numbers of a vector, from which one byte each and a step of two take clearly less than two bytes each


class WeightedTerms(nn.Module):
    """Adds up the vectors of a row's terms, each times its weight, the weights brought to length 1.

    `terms`: the first so many are known, the others count for nothing; `silenced`: the share of a row's terms that a training
    step leaves out, the others weighing more; `slowed`: from about this number on (terms stand in the order of their frequency) a
    term counts, and so learns, the less the rarer it is. Shape: x (N, L) -> (N, D).
    """

    def __init__(
        self, inputs: InputSpec, terms: int, width: int, start: float, silenced: float = 0.0, slowed: int = 0
    ) -> None:
        super().__init__()
        self.silence, self.slowed = nn.Dropout(silenced), slowed
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
            weights = self._slow(weights, numbers)
            return (weights.unsqueeze(1) @ self.vectors[numbers]).squeeze(1) / scale
        counts = known.sum(dim=1)
        at = known.reshape(-1).nonzero().squeeze(1)
        flat, row = x_NL.reshape(-1).index_select(0, at), at // x_NL.shape[1]
        weights = (flat % TERM).float()
        scale = weights.new_zeros(len(x_NL)).index_add_(0, row, weights.square()).clamp_(min=1).sqrt_()
        weights = self.silence(self._slow(weights / scale.index_select(0, row), flat // TERM))
        starts = (counts.cumsum(0) - counts).int()
        added: Tensor = functional.embedding_bag(
            flat // TERM, self.vectors, starts, mode="sum", per_sample_weights=weights
        )
        return added

    def _slow(self, weights: Tensor, numbers: Tensor) -> Tensor:
        return weights * (1 + numbers / self.slowed).rsqrt() if self.slowed else weights

    def resized(self) -> None:
        """Know as many terms as there are vectors."""
        self.terms = len(self.vectors) - 1

    def shorten(self) -> None:
        """Round the vectors to one byte a number, or to float16 where a vector has so few numbers that its step costs as much."""
        if self.vectors.shape[1] < WIDE:
            halve([self.vectors])
            return
        vectors = self.vectors.detach().numpy()
        numbers, steps = in_bytes(vectors)
        if np.isfinite(steps).all():
            vectors[:] = from_bytes(numbers, steps)
