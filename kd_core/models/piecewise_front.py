"""Numbers taken apart by edges: the first step of networks that bend numbers themselves.

Legend: N rows, F features, G pieces of numbers, M numbers, K encoded values (pieces, plain features, flags), W outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from kd_core.data.input_spec import InputSpec

PAST_ALL = 3e38  # where a piece begins that no value reaches
SHARED = 10  # numbers beyond this many share the edges of so many
LEAST = 4  # edges that a number keeps, however many there are


@dataclass(frozen=True)
class Layout:
    """What becomes of each feature. `numbers` are positions, `pieces` how many each has; `plain`, `holes` positions as well."""

    numbers: tuple[int, ...]
    pieces: tuple[int, ...]
    plain: tuple[int, ...]
    holes: tuple[int, ...]

    @classmethod
    def of(cls, inputs: InputSpec, edges: int) -> Self:
        """Give every number `edges` edges, or one per value where it takes fewer; up to two values stay as they are.

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

    source: Tensor  # (G,) feature of a piece
    owner: Tensor  # (G,) number of a piece
    plain: Tensor
    holes: Tensor

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        told = list(zip(layout.numbers, layout.pieces, strict=True))
        positions = {
            "source": [at for at, n in told for _ in range(n)],
            "owner": [k for k, (_, n) in enumerate(told) for _ in range(n)],
            "plain": layout.plain,
            "holes": layout.holes,
        }
        for name, at in positions.items():
            self.register_buffer(name, torch.tensor(at, dtype=torch.long), persistent=False)

    def encode(self, x: Tensor, low: Tensor, scale: Tensor) -> Tensor:
        """Take rows apart: how far a number is through each piece, from 0 to 1; plain features; flags of what is missing.

        A missing value counts as 0: the median, as the columns view scales. Shape: x (..., N, F), low and scale (..., 1, G) or
        (G,) -> (..., N, K).
        """
        missing = x.isnan()
        x = torch.where(missing, torch.zeros((), dtype=x.dtype, device=x.device), x)
        parts = []
        if self.source.numel():
            parts.append(((x.index_select(-1, self.source) - low) * scale).clamp(0, 1))
        if self.plain.numel():
            parts.append(x.index_select(-1, self.plain))
        if self.holes.numel():
            parts.append(missing.index_select(-1, self.holes).to(x.dtype))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)


class Front(nn.Module):
    """The edges of a network, in its state: where pieces begin, how steep they are, and normal quantiles at the edges.

    Made before any rows are seen, the edges suit numbers that are distributed normally.
    Shape: x (N, F) -> (N, K). Source: Gorishniy et al. 2022, arXiv:2203.05556, section 3.2; both ends are clipped here.
    """

    low: Tensor  # (G,)
    scale: Tensor  # (G,) one over the width
    rise: Tensor  # (G,) of the normal quantile over a piece
    start: Tensor  # (M,) normal quantile at the first edge

    def __init__(self, inputs: InputSpec, edges: int) -> None:
        super().__init__()
        self.layout = Layout.of(inputs, edges)
        self.index = Index(self.layout)
        at = [torch.special.ndtri(torch.linspace(0.02, 0.98, n + 1)) for n in self.layout.pieces]
        whole = torch.cat([torch.diff(e) for e in at]) if at else torch.zeros(0)
        self.register_buffer("low", torch.cat([e[:-1] for e in at]) if at else torch.zeros(0))
        self.register_buffer("scale", 1 / whole)
        self.register_buffer("rise", whole.clone())
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

    def lifted(self, x_NF: Tensor) -> Tensor:
        """Encode rows and send them through the first layer."""
        return linear(self.front(x_NF), *self.front.folded(self.first.weight, self.first.bias))

    def flops(self) -> int:
        """Count the operations of one row: 2 for every weight of a matrix, but for those that are folded into others."""
        folded = len(self.front.layout.numbers) * self.first.out_features
        return 2 * (sum(p.numel() for p in self.parameters() if p.dim() == 2) - folded)
