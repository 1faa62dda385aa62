"""Multilayer perceptrons on piecewise-linear numbers as one stack: each with edges of its own, by what it is taught.

Legend: S networks, B rows, F inputs, K encoded values, M numbers, G pieces of numbers, W width.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from kd_core.data.input_spec import InputSpec
from kd_core.distill.stack.forms.base import STACKS, State
from kd_core.distill.stack.forms.mlp import MLPStack
from kd_core.models.archs.piecewise import PiecewiseSpec
from kd_core.models.piecewise_front import Index, Layout, Sides

_FRONT = "front."
# Encoded rows of one stack; where they take more, rows are cut at every step.
HELD_BYTES = {"cpu": 256 * 2**20, "cuda": 4 * 2**30}
_AT_ONCE = 10_000  # rows encoded at once


@STACKS.register(
    "piecewise", title="MLPs on piecewise-linear numbers as one", spec=PiecewiseSpec, source="arXiv:2203.05556"
)
class PiecewiseStack(MLPStack):
    """S multilayer perceptrons of equal depth, activation and number of edges. Weights as in `MLPStack`; edges are no weights."""

    exact_rows: ClassVar[bool] = True

    def __init__(
        self, specs: Sequence[Any], states: Sequence[State], inputs: InputSpec, dtype: torch.dtype, device: torch.device
    ) -> None:
        self.layout = self.layout_of(specs[0], inputs)
        self.index = Index(self.layout, inputs.width).to(device)
        own = [[(name, t) for name, t in state.items() if name.startswith(_FRONT)] for state in states]
        together = {name: torch.stack([dict(of)[name] for of in own]).to(device) for name, _ in own[0]}
        self.edges = {name: t.to(dtype) if t.is_floating_point() else t for name, t in together.items()}
        rest = [{name: t for name, t in state.items() if not name.startswith(_FRONT)} for state in states]
        self._table: Tensor | None = None
        self._taken: dict[int, Tensor] = {}
        super().__init__(specs, rest, inputs, dtype, device)

    @classmethod
    def layout_of(cls, spec: Any, inputs: InputSpec) -> Layout:
        """Say what becomes of each feature."""
        return Layout.of(inputs, spec.num_edges())

    @classmethod
    def shape_key(cls, spec: Any) -> Hashable:
        """Depth, activation and edges of a number."""
        return *super().shape_key(spec), spec.num_edges()  # type: ignore[misc]

    @classmethod
    def input_width(cls, spec: Any, inputs: InputSpec) -> int:
        """Count the encoded values."""
        return cls.layout_of(spec, inputs).encoded

    @property
    def widest(self) -> int:
        """Count the numbers that the widest layer makes of a row, or the encoding."""
        return max(super().widest, self.layout.encoded)

    def rebuilt(self) -> None:
        """Lay the edges out for rows, and the quantiles' rise for gradients."""
        super().rebuilt()
        told = {name.removeprefix(_FRONT): t.unsqueeze(1) for name, t in self.edges.items()}
        self._low, self._scale, self._start = told["low"], told["scale"], told["start"]
        self._sides = (
            Sides(told["pair_source"].squeeze(1), told["pair_low"], told["pair_scale"])
            if self.layout.products
            else None
        )
        owner = self.index.owner
        self._spread = self._low.new_zeros(len(self), len(owner), len(self.layout.numbers))  # (S, G, M)
        self._spread[:, torch.arange(len(owner), device=owner.device), owner] = self.edges[f"{_FRONT}rise"]

    def encode(self, x: Tensor) -> Tensor:
        """Cut the numbers of rows by each network's own edges. Shape: (S, B, F) -> (S, B, K)."""
        return self.index.encode(x, self._low, self._scale, self._sides).to(self.compute[0].dtype)

    def hold(self, *parts: Tensor) -> None:
        """Encode rows once for all networks with the same edges, where they fit. Shape: (N, F) each."""
        cuts = [b"".join(t.numpy().tobytes() for t in of) for of in zip(*self._cuts(), strict=True)]
        arms, count = list(dict.fromkeys(cuts)), sum(map(len, parts))
        if len(arms) * count * self.layout.encoded * self._low.itemsize > HELD_BYTES[self._low.device.type]:
            return
        self._table = self._low.new_empty(len(arms) * count, self.layout.encoded)
        rows = [
            (at, x[start : start + _AT_ONCE])
            for at in map(cuts.index, arms)
            for x in parts
            for start in range(0, len(x), _AT_ONCE)
        ]
        first = 0
        for at, some in rows:
            self._table[first : first + len(some)] = self.index.encode(
                some.to(self._low.dtype),
                self._low[at, 0],
                self._scale[at, 0],
                None
                if self._sides is None
                else Sides(self._sides[0][at], self._sides[1][at, 0], self._sides[2][at, 0]),
            )
            first += len(some)
        self._first = torch.tensor([arms.index(cut) * count for cut in cuts], device=self._low.device).view(-1, 1)

    def _cuts(self) -> list[Tensor]:
        return [t.cpu() for t in (self._low, self._scale, *(self._sides or ()))]

    def look_up(self, index: Tensor) -> Tensor | None:
        """Return encoded rows by position; they are overwritten by the next call for as many. Shape: (S, B) -> (S, B, K)."""
        if self._table is None:
            return None
        at = (index + self._first).reshape(-1)
        taken = self._taken.get(len(at))  # new memory at every step costs more than the copy
        if taken is None:
            taken = self._taken[len(at)] = self._table.new_empty(len(at), self.layout.encoded)
        held = torch.index_select(self._table, 0, at, out=taken).view(*index.shape, -1)
        return held.to(self.compute[0].dtype)

    def forward(self, x: Tensor, masks: Sequence[Tensor], learning: bool) -> Tensor:
        """Answer; the inputs of every layer are remembered for `backward`."""
        first = self._folded(self.weights[0], self.weights[1])
        return self._layers(x, [*(t.to(x.dtype) for t in first), *self.compute[2:]], masks, learning)

    def _folded(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """As `Front.folded`, for all networks at once."""
        own, quantile = weight[..., : self.layout.encoded], weight[..., self.layout.encoded :]
        tilt = torch.bmm(quantile, self._spread.transpose(1, 2))
        own = torch.cat([own[..., : tilt.shape[2]] + tilt, own[..., tilt.shape[2] :]], dim=2)
        return own, bias + (quantile * self._start).sum(2)

    def _keep(self, layer: int, d: Tensor, x: Tensor) -> None:
        """Write a layer's gradients; those of the first go to what was folded into it as well."""
        if layer:
            super()._keep(layer, d, x)
            return
        weight, bias = self.grads[:2]
        own, quantile = weight[..., : self.layout.encoded], weight[..., self.layout.encoded :]
        own.copy_(torch.bmm(d, x))
        bias.copy_(d.sum(dim=2))
        quantile.copy_(torch.bmm(own[..., : self._spread.shape[1]], self._spread))
        quantile.addcmul_(bias.unsqueeze(2), self._start)

    def keep(self, rows: Tensor) -> None:
        """Drop every network but these, with their edges."""
        self.edges = {name: t.index_select(0, rows.to(t.device)) for name, t in self.edges.items()}
        if self._table is not None:
            self._first = self._first.index_select(0, rows.to(self._first.device))
            self._taken = {}
        super().keep(rows)

    def state(self, row: int, weights: Sequence[Tensor] | None = None) -> State:
        """Return one network's own weights and edges on the CPU, as its module names them."""
        return {name: t[row].cpu().clone() for name, t in self.edges.items()} | super().state(row, weights)
