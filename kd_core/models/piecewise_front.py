"""Numbers taken apart by edges: the first step of networks that bend numbers themselves.

Legend: N rows, F features, M numbers, G pieces of numbers, K encoded values (those, one piece of every other feature, a flag for
every feature with holes), W outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from kd_core.data.input_spec import InputSpec
from kd_core.models.reshape.units import Units

PAST_ALL = 3e38  # where a piece begins that no value reaches
SHARED = 10  # numbers beyond this many share the edges of so many
LEAST = 4  # edges that a number keeps, however many there are


@dataclass(frozen=True)
class Layout:
    """What becomes of each feature, all by position: `numbers` with their `pieces`, `plain` ones with one, flags of `holes`."""

    numbers: tuple[int, ...]
    pieces: tuple[int, ...]
    plain: tuple[int, ...]
    holes: tuple[int, ...]

    @classmethod
    def of(cls, inputs: InputSpec, edges: int) -> Self:
        """Give every number `edges` edges, or one per value where it takes fewer; up to two values are one piece.

        With more than `SHARED` numbers all get fewer, so that there are at most `SHARED` x `edges` pieces; at least `LEAST`.
        """
        values = inputs.values or (edges,) * inputs.width
        numbers = [at for at, n in enumerate(values) if n > 2]
        most = SHARED * edges
        while edges > LEAST and sum(min(values[at], edges) - 1 for at in numbers) > most:
            edges -= 1
        return cls(
            tuple(numbers),
            tuple(min(values[at], edges) - 1 for at in numbers),
            tuple(at for at, n in enumerate(values) if n <= 2),
            inputs.holes,
        )

    @property
    def encoded(self) -> int:
        """Count the values that a row is encoded in."""
        return sum(self.pieces) + len(self.plain) + len(self.holes)

    @property
    def weights(self) -> int:
        """Count the weights that an output of the first layer has: one more for each number, see `Front.folded`."""
        return self.encoded + len(self.numbers)


class Index(nn.Module):
    """Positions of a layout as tensors that follow the network to its device; they are not part of its state."""

    source: Tensor  # (K,) feature of an encoded value; flags stand behind the features
    owner: Tensor  # (G,) number of a piece
    holes: Tensor  # (H,)

    def __init__(self, layout: Layout, num_inputs: int) -> None:
        super().__init__()
        told = list(zip(layout.numbers, layout.pieces, strict=True))
        cut = [at for at, n in told for _ in range(n)]
        positions = {
            "source": [*cut, *layout.plain, *(num_inputs + k for k in range(len(layout.holes)))],
            "owner": [k for k, (_, n) in enumerate(told) for _ in range(n)],
            "holes": layout.holes,
        }
        for name, at in positions.items():
            self.register_buffer(name, torch.tensor(at, dtype=torch.long), persistent=False)

    def encode(self, x: Tensor, low: Tensor, scale: Tensor) -> Tensor:
        """Say how far a row is through each piece, from 0 to 1, and which values are missing.

        A missing value counts as 0: the median, as the columns view scales. Shape: x (..., F), low and scale (K,) or (S, 1, K)
        -> (..., K).
        """
        if torch.onnx.is_in_onnx_export():
            return self._upright(x.t(), low, scale).t()
        # networks of a stack side by side: several times as fast as apart
        rows = x if x.dim() == 2 else x.reshape(-1, x.shape[-1])
        missing = rows.isnan()
        known = rows.masked_fill(missing, 0.0)
        if self.holes.numel():
            known = torch.cat([known, missing.index_select(1, self.holes).to(rows.dtype)], dim=1)
        taken = known.index_select(1, self.source)
        if x.dim() != 2:
            taken = taken.view(*x.shape[:-1], -1)
        # in place: new memory for each of them costs more than the arithmetic
        return taken.sub_(low).mul_(scale).clamp_(0, 1)

    def _upright(self, x_FN: Tensor, low_K: Tensor, scale_K: Tensor) -> Tensor:
        """Encode with a row per feature, as a file does: ONNX Runtime takes whole rows ten times as fast as numbers out of each.

        Shape: x (F, N) -> (K, N).
        """
        missing = x_FN.isnan()
        known = x_FN.masked_fill(missing, 0.0)
        if self.holes.numel():
            known = torch.cat([known, missing.index_select(0, self.holes).to(x_FN.dtype)])
        return ((known.index_select(0, self.source) - low_K[:, None]) * scale_K[:, None]).clamp(0, 1)


class Front(nn.Module):
    """The edges of a network, in its state: where pieces begin, how steep they are, and normal quantiles at the edges.

    Made before any rows are seen, the edges suit numbers that are distributed normally.
    Shape: x (N, F) -> (N, K). Source: Gorishniy et al. 2022, arXiv:2203.05556, section 3.2; both ends are clipped here.
    """

    low: Tensor  # (K,)
    scale: Tensor  # (K,) one over the width
    rise: Tensor  # (G,) of the normal quantile over a piece
    start: Tensor  # (M,) normal quantile at the first edge

    def __init__(self, inputs: InputSpec, edges: int) -> None:
        super().__init__()
        self.layout = Layout.of(inputs, edges)
        self.index = Index(self.layout, inputs.width)
        here = (
            torch.get_default_device()
        )  # said, for a library that loads models leaves a linspace behind that is always on the CPU
        at = [torch.special.ndtri(torch.linspace(0.02, 0.98, n + 1, device=here)) for n in self.layout.pieces]
        others = self.layout.encoded - sum(self.layout.pieces)
        rise = torch.cat([torch.zeros(0), *(torch.diff(e) for e in at)])
        self.register_buffer("low", torch.cat([*(e[:-1] for e in at), torch.zeros(others)]))
        self.register_buffer("scale", torch.cat([1 / rise, torch.ones(others)]))
        self.register_buffer("rise", rise)
        self.register_buffer("start", torch.stack([e[0] for e in at]) if at else torch.zeros(0))

    def forward(self, x_NF: Tensor) -> Tensor:
        return self.index.encode(x_NF, self.low, self.scale)

    def folded(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Turn a first layer that also reads the normal quantile of every number into one that reads the encoded rows alone.

        That quantile is interpolated between the edges, so it is a sum over pieces: reading it costs nothing once trained.
        Shape: weight (W, K + M), bias (W,) -> (W, K), (W,).
        """
        own, quantile = weight[:, : self.layout.encoded], weight[:, self.layout.encoded :]
        tilt = quantile.index_select(1, self.index.owner) * self.rise
        own = torch.cat([own[:, : tilt.shape[1]] + tilt, own[:, tilt.shape[1] :]], dim=1)
        return own, bias + (quantile * self.start).sum(1)


class Fronted(nn.Module):
    """A front and the first layer behind it. Shape: x (N, F) -> (N, width), before any activation."""

    def __init__(self, inputs: InputSpec, edges: int, width: int) -> None:
        super().__init__()
        self.front = Front(inputs, edges)
        self.first = nn.Linear(self.front.layout.weights, width)
        self.is_settled = False

    def lifted(self, x_NF: Tensor) -> Tensor:
        """Encode rows and send them through the first layer."""
        if self.is_settled:
            return linear(self.front(x_NF), self.first.weight[:, : self.front.layout.encoded], self.first.bias)
        return linear(self.front(x_NF), *self.front.folded(self.first.weight, self.first.bias))

    def settle(self) -> None:
        """Fold the weights of the normal quantiles into the others, which answers alike; there is no learning after it."""
        encoded = self.front.layout.encoded
        with torch.no_grad():
            weight, bias = self.front.folded(self.first.weight, self.first.bias)
            self.first.weight[:, :encoded], self.first.weight[:, encoded:] = weight, 0
            self.first.bias.copy_(bias)
        self.is_settled = True

    def units(self) -> tuple[Units, ...]:
        """Name the units behind the first layer: none where it gives the answers."""
        return ()

    def flops(self) -> int:
        """Count the operations of one row: 2 for every weight of a matrix, but for those that are folded into others."""
        folded = len(self.front.layout.numbers) * self.first.out_features
        return 2 * (sum(p.numel() for p in self.parameters() if p.dim() == 2) - folded)
