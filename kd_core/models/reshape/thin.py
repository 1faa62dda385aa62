"""Layers in two thin parts, which hold fewer numbers than the matrix that they stand for. Legend: R rank."""

from __future__ import annotations

from torch import Tensor, nn

# Where the numbers of a layer are once it is thin: by its own name for them and the axis.
THIN_PLACES: dict[tuple[str, int], tuple[str, int]] = {
    ("weight", 0): ("widen.weight", 0),
    ("weight", 1): ("narrow.weight", 1),
    ("bias", 0): ("widen.bias", 0),
}
THIN_COLUMNS = ("widen.weight", 0)  # of an embedding


class ThinLinear(nn.Module):
    """A linear layer as two, R numbers between them. Shape: (..., I) -> (..., R) -> (..., O)."""

    def __init__(self, inputs: int, rank: int, outputs: int, bias: bool) -> None:
        super().__init__()
        self.narrow = nn.Linear(inputs, rank, bias=False)
        self.widen = nn.Linear(rank, outputs, bias=bias)

    @property
    def in_features(self) -> int:
        """Count the numbers it reads."""
        return self.narrow.in_features

    @property
    def out_features(self) -> int:
        """Count the numbers it makes."""
        return self.widen.out_features

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.widen(self.narrow(x))
        return found


class ThinEmbedding(nn.Module):
    """An embedding of R numbers a word, widened by one matrix for all words. Shape: (N, L) -> (N, L, R) -> (N, L, D)."""

    def __init__(self, words: int, rank: int, width: int, padding: int | None) -> None:
        super().__init__()
        self.rows = nn.Embedding(words, rank, padding_idx=padding)
        self.widen = nn.Linear(rank, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.widen(self.rows(x))
        return found
