"""Weights that a step set to nothing, and what keeps them there while a network learns."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def zeros_of(module: nn.Module) -> dict[str, Tensor]:
    """Mark the weights that are exactly 0, by the name of their matrix; a bias may be 0 by chance and stays free."""
    found = {name: w.detach() == 0 for name, w in module.named_parameters() if w.dim() > 1}
    return {name: mask for name, mask in found.items() if bool(mask.any())}


def hide(module: nn.Module, gone: Mapping[str, Tensor]) -> None:
    """Set marked weights to nothing, in place; those that round themselves while they learn have the same names."""
    with torch.no_grad():
        for name, weight in module.named_parameters():
            plain = name.replace("parametrizations.", "").removesuffix(".original")
            if plain in gone:
                weight.masked_fill_(gone[plain].to(weight.device), 0.0)
