"""Names of the activation functions a network may use."""

from __future__ import annotations

from typing import Literal

from torch import nn

Activation = Literal["relu", "gelu", "silu"]

_MODULES: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU}


def activation(name: Activation) -> nn.Module:
    """Make the activation function of that name."""
    return _MODULES[name]()
