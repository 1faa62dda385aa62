"""A freshly built network takes the numbers of a state."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


def reshaped(module: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """Give a network the numbers of a state, in place, and return it."""
    module.load_state_dict(dict(state))
    return module
