"""How many columns or ranks a matrix keeps, and thin layers put in place of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kd_core.models.dropout import use_own_stream
from kd_core.models.reshape.reshaping import put


def rank_by(values: Tensor, per_rank: int, whole: int, share: float, energy: float | None) -> int | None:
    """Choose a rank: by the share of `whole` numbers that it may take, `per_rank` each, or by the share of squared values that it keeps.

    None where the thin form takes as many numbers as the matrix, or more.
    """
    if energy is None:
        rank = max(1, int(share * whole / per_rank))
    else:
        kept = torch.cumsum(values.square(), 0) / values.square().sum().clamp(min=1e-300)
        rank = 1 + int((kept < energy - 1e-12).sum())
    rank = min(rank, len(values))
    return rank if rank * per_rank < whole else None


def put_thin(module: nn.Module, name: str, thin: nn.Module) -> None:
    """Put a thin form where a layer was, in the same mode."""
    old = module.get_submodule(name)
    thin.train(old.training)
    put(module, name, use_own_stream(thin))
