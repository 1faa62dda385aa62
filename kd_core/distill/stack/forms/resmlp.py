"""Residual multilayer perceptrons as one stack; torch differentiates them.

Legend: S networks, B rows, F inputs, W width, I inner width, C outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kd_core.distill.stack.forms.base import STACKS, Stack
from kd_core.models.archs.resmlp import ResMLPSpec

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu}
_PER_BLOCK = 6  # norm weight and bias, first weight and bias, second weight and bias
_EPS = 1e-5  # of nn.LayerNorm


@STACKS.register("resmlp", title="Residual MLPs as one", spec=ResMLPSpec, source="arXiv:2102.02344")
class ResMLPStack(Stack):
    """S residual MLPs of equal depth and activation. Weights as in `ResMLP`, each with S in front."""

    @classmethod
    def shape_key(cls, spec: Any) -> Hashable:
        """Depth, activation and widening (so that inner widths follow the width)."""
        return spec.shape()[1], spec.activation, spec.widening

    @classmethod
    def width(cls, spec: Any) -> int:
        """Units between the blocks."""
        return int(spec.shape()[0])

    def mask_widths(self, row: int) -> list[int]:
        """One mask per block, as wide as its inside."""
        spec = self.specs[row]
        width, depth = spec.shape()
        return [max(1, round(width * spec.widening))] * depth if spec.dropout else []

    def padded_widths(self) -> list[int]:
        """Rows of every block's first weight."""
        return [w.shape[1] for w in self.weights[4:-4:_PER_BLOCK]]

    def rebuilt(self) -> None:
        """Mark the units that are there; a padded one must not enter a mean."""
        widths = [self.width(spec) for spec in self.specs]
        full = self.weights[0].shape[1]
        self._even = all(w == full for w in widths)
        w = self.weights[0]
        own = torch.tensor(widths, dtype=w.dtype, device=w.device)
        self._own = own.view(-1, 1, 1)
        self._there = (torch.arange(full, device=w.device) < own.view(-1, 1)).to(w.dtype).unsqueeze(1)
        self._leaves: list[Tensor] = []
        self._z: Tensor | None = None
        self._act = _ACTIVATIONS[self.specs[0].activation] if self.specs else F.relu

    def forward(self, x: Tensor, masks: Sequence[Tensor], learning: bool) -> Tensor:
        """Answer; torch remembers the graph for `backward`."""
        if not learning:
            with torch.no_grad():
                return self._answer(x, masks, self.compute)
        self._leaves = [w.detach().requires_grad_() for w in self.compute]
        with torch.enable_grad():
            self._z = self._answer(x, masks, self._leaves)
        return self._z.detach()

    def backward(self, dz: Tensor) -> None:
        """Fill `grads`."""
        assert self._z is not None
        for slot, found in zip(self.grads, torch.autograd.grad(self._z, self._leaves, dz), strict=True):
            slot.copy_(found)
        self._z = None

    def _answer(self, x: Tensor, masks: Sequence[Tensor], w: Sequence[Tensor]) -> Tensor:
        h = _affine(x, w[0], w[1])
        blocks = (len(w) - 6) // _PER_BLOCK
        for k in range(blocks):
            norm_w, norm_b, first_w, first_b, second_w, second_b = w[2 + _PER_BLOCK * k : 2 + _PER_BLOCK * (k + 1)]
            inner = self._act(_affine(self._norm(h, norm_w, norm_b), first_w, first_b))
            if masks:
                inner = inner * masks[k]
            h = h + _affine(inner, second_w, second_b)
        last_w, last_b, head_w, head_b = w[-4:]
        last = self._act(self._norm(h, last_w, last_b))
        return torch.baddbmm(head_b.unsqueeze(2), head_w, last.transpose(1, 2))

    def _norm(self, h: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Layer norm over each network's own width. Shape: h (S, B, W), weight and bias (S, W)."""
        if self._even:
            return torch.addcmul(bias.unsqueeze(1), F.layer_norm(h, h.shape[-1:], eps=_EPS), weight.unsqueeze(1))
        own, there = self._own.to(h.dtype), self._there.to(h.dtype)
        h = h * there  # padding is zero already, but must not get a gradient through the mean
        centred = (h - h.sum(-1, keepdim=True) / own) * there
        variance = centred.square().sum(-1, keepdim=True) / own
        return torch.addcmul(bias.unsqueeze(1), centred * torch.rsqrt(variance + _EPS), weight.unsqueeze(1))


def _affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))
