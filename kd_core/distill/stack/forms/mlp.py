"""Multilayer perceptrons as one stack, with the backward pass written out.

Source: arXiv:2102.02344 (horizontal fusion: a linear layer of S networks is one batched product).
Legend: S networks, B rows, F inputs, W width, C outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from kd_core.distill.stack.forms.base import STACKS, Stack
from kd_core.models.archs.mlp import MLPSpec

aten = torch.ops.aten


def _relu_back(d: Tensor, before: Tensor, after: Tensor) -> Tensor:
    found: Tensor = aten.threshold_backward.grad_input(d, after, 0, grad_input=d)
    return found


def _gelu_back(d: Tensor, before: Tensor, after: Tensor) -> Tensor:
    found: Tensor = aten.gelu_backward(d, before)
    return found


def _silu_back(d: Tensor, before: Tensor, after: Tensor) -> Tensor:
    found: Tensor = aten.silu_backward(d, before)
    return found


# name: (activation of a tensor that may be overwritten, its backward(d, before, after))
_ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor, Tensor], Tensor]]] = {
    "relu": (torch.relu_, _relu_back),
    "gelu": (F.gelu, _gelu_back),
    "silu": (F.silu, _silu_back),
}


@STACKS.register("mlp", title="MLPs as one", spec=MLPSpec, source="arXiv:2102.02344")
class MLPStack(Stack):
    """S multilayer perceptrons of equal depth and activation. Weights: (S, out, in), (S, out) per layer."""

    activation: ClassVar[str | None] = None

    @classmethod
    def shape_key(cls, spec: Any) -> Hashable:
        """Depth and activation."""
        return spec.shape()[1], spec.activation

    @classmethod
    def width(cls, spec: Any) -> int:
        """Units per hidden layer."""
        return int(spec.shape()[0])

    def mask_widths(self, row: int) -> list[int]:
        """One mask per hidden layer, as wide as the layer."""
        width, depth = self.specs[row].shape()
        return [width] * depth if self.specs[row].dropout else []

    def padded_widths(self) -> list[int]:
        """Rows of every hidden layer's weight."""
        return [w.shape[1] for w in self.weights[:-2:2]]

    def rebuilt(self) -> None:
        """Forget the last batch."""
        self._saved: list[tuple[Tensor, Tensor, Tensor]] = []
        self._masks: Sequence[Tensor] = ()
        name = getattr(self.specs[0], "activation", "relu") if self.specs else "relu"
        self._act, self._back = _ACTIVATIONS[name]

    def forward(self, x: Tensor, masks: Sequence[Tensor], learning: bool) -> Tensor:
        """Answer; the inputs of every layer are remembered for `backward`."""
        return self._layers(x, self.compute, masks, learning)

    def _layers(self, x: Tensor, w: Sequence[Tensor], masks: Sequence[Tensor], learning: bool) -> Tensor:
        self._saved, self._masks = [], masks
        for i in range(0, len(w) - 2, 2):
            before = torch.baddbmm(w[i + 1].unsqueeze(1), x, w[i].transpose(1, 2))
            after = self._act(before)
            if masks:
                after = after * masks[i // 2]
            if learning:
                self._saved.append((x, before, after))
            x = after
        if learning:
            self._saved.append((x, x, x))
        return torch.baddbmm(w[-1].unsqueeze(2), w[-2], x.transpose(1, 2))

    def backward(self, dz: Tensor) -> None:
        """Walk the layers back; `grads` are overwritten."""
        last = len(self._saved) - 1
        self._keep(last, dz, self._saved[last][0])
        d = dz.transpose(1, 2)
        for i in range(last - 1, -1, -1):
            x, before, after = self._saved[i]
            d = torch.bmm(d, self.compute[2 * i + 2])
            if self._masks:
                d = d * self._masks[i]
            d = self._back(d, before, after)
            self._keep(i, d.transpose(1, 2), x)

    def _keep(self, layer: int, d: Tensor, x: Tensor) -> None:
        """Write a layer's gradients. Shape: d (S, out, B), x (S, B, in)."""
        weight, bias = self.grads[2 * layer], self.grads[2 * layer + 1]
        if d.dtype == weight.dtype:
            torch.bmm(d, x, out=weight)
            torch.sum(d, dim=2, out=bias)
        else:
            weight.copy_(torch.bmm(d, x))
            bias.copy_(d.sum(dim=2))  # adds up in float32; asking for a float32 sum would copy d first
