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

from kd_core.distill.stacks.base import STACKS, Stack
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

    def rebuilt(self) -> None:
        """Forget the last batch."""
        self._saved: list[tuple[Tensor, Tensor, Tensor]] = []
        self._masks: Sequence[Tensor] = ()
        name = getattr(self.specs[0], "activation", "relu") if self.specs else "relu"
        self._act, self._back = _ACTIVATIONS[name]

    def forward(self, x: Tensor, masks: Sequence[Tensor], learning: bool) -> Tensor:
        """Answer; the inputs of every layer are remembered for `backward`."""
        self._saved, self._masks = [], masks
        layers = len(self.compute) // 2
        for i in range(layers):
            w, b = self.compute[2 * i], self.compute[2 * i + 1]
            before = torch.baddbmm(b.unsqueeze(1), x, w.transpose(1, 2))
            if i == layers - 1:
                if learning:
                    self._saved.append((x, before, before))
                return before
            after = self._act(before)
            if masks:
                after = after * masks[i]
            if learning:
                self._saved.append((x, before, after))
            x = after
        raise AssertionError("a network has at least one layer")

    def backward(self, dz: Tensor) -> None:
        """Walk the layers back; `grads` are overwritten."""
        d = dz
        low = d.dtype != self.weights[0].dtype
        for i in range(len(self._saved) - 1, -1, -1):
            x, _, _ = self._saved[i]
            gw, gb = self.grads[2 * i], self.grads[2 * i + 1]
            if low:
                gw.copy_(torch.bmm(d.transpose(1, 2), x))
            else:
                torch.bmm(d.transpose(1, 2), x, out=gw)
            torch.sum(d, dim=1, out=gb) if not low else gb.copy_(d.sum(dim=1, dtype=gb.dtype))
            if not i:
                return
            d = torch.bmm(d, self.compute[2 * i])
            if self._masks:
                d = d * self._masks[i - 1]
            _, before, after = self._saved[i - 1]
            d = self._back(d, before, after)
