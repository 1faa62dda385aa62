"""Numbers taken apart by edges: the first step of networks that bend numbers themselves.

Legend: N rows, F features, M numbers, G pieces of numbers, R products of two pieces, K encoded values (pieces, one piece of every other
feature, a flag for every feature with holes, products), L those but the products, W outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from kd_core.data.input_spec import InputSpec
from kd_core.models.reshape.units import Units

PAST_ALL = 3e38  # where a piece begins that no value reaches
SHARED = 10  # numbers beyond this many share the edges of so many
LEAST = 4  # edges that a number keeps, however many there are
CELLS = 64  # products of a pair: of 8 pieces of one feature and 8 of the other, of 1 and 64, or of what lies between


@dataclass(frozen=True)
class Layout:
    """What becomes of each feature, all by position: `numbers` with their `pieces`, `plain` ones with one, flags of `holes`.

    `products`: of pieces of two features each, `CELLS` a pair.
    """

    numbers: tuple[int, ...]
    pieces: tuple[int, ...]
    plain: tuple[int, ...]
    holes: tuple[int, ...]
    products: int = 0

    @classmethod
    def of(cls, inputs: InputSpec, edges: int, pairs: int = 0) -> Self:
        """Give every number `edges` edges, or one per value where it takes fewer; up to two values are one piece.

        With more than `SHARED` numbers all get fewer, so that there are at most `SHARED` x `edges` pieces; at least `LEAST`.
        There are no more pairs than features allow.
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
            CELLS * min(pairs, inputs.width * (inputs.width - 1) // 2),
        )

    @property
    def alone(self) -> int:
        """Count the encoded values that hang on one feature."""
        return sum(self.pieces) + len(self.plain) + len(self.holes)

    @property
    def encoded(self) -> int:
        """Count the values that a row is encoded in; products come last."""
        return self.alone + self.products

    @property
    def weights(self) -> int:
        """Count the weights that an output of the first layer has: one more for each number, see `Front.folded`."""
        return self.encoded + len(self.numbers)


class Sides(NamedTuple):
    """Pieces whose products are encoded, the first side of all and then the second: features by position, where pieces begin, how steep they are.

    Shape: (2R,) each; of a stack source (S, 2R), the others (S, 1, 2R).
    """

    source: Tensor
    low: Tensor
    scale: Tensor


class Written(NamedTuple):
    """Products as a file holds them: every piece once, the two of each product, and which products there are. Shape: (P,), (R',)."""

    pieces: Sides
    first: Tensor
    second: Tensor
    there: Tensor

    @classmethod
    def of(cls, sides: Sides) -> Self:
        """Leave out products of pieces that no value reaches, and say every piece once."""
        told = torch.stack([t.double() for t in sides])
        there = (told[1].view(2, -1) < PAST_ALL).all(0).nonzero()[:, 0]
        both = told.view(3, 2, -1)[:, :, there].reshape(3, -1)
        each, at = torch.unique(both, dim=1, return_inverse=True)
        first, second = at.view(2, -1)
        low, scale = each[1:].to(sides.low.dtype)
        return cls(Sides(each[0].long(), low, scale), first, second, there)


class Index(nn.Module):
    """Positions of a layout as tensors that follow the network to its device; they are not part of its state."""

    source: Tensor  # (L,) feature of an encoded value; flags stand behind the features
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

    def encode(self, x: Tensor, low: Tensor, scale: Tensor, sides: Sides | None = None) -> Tensor:
        """Say how far a row is through each piece, from 0 to 1, and which values are missing; then the products of two pieces.

        A missing value counts as 0: the median, as the columns view scales. Shape: x (..., F), low and scale (L,) or (S, 1, L)
        -> (..., K).
        """
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
        found = taken.sub_(low).mul_(scale).clamp_(0, 1)
        if sides is None:
            return found
        if sides.source.dim() == 1:
            both = known.index_select(1, sides.source).view(*x.shape[:-1], -1)
        else:
            both = known.view(*x.shape[:-1], -1).gather(2, sides.source[:, None].expand(-1, x.shape[1], -1))
        first, second = both.sub_(sides.low).mul_(sides.scale).clamp_(0, 1).chunk(2, dim=-1)
        return torch.cat([found, first * second], dim=-1)

    def upright(self, x_FN: Tensor, low_L: Tensor, scale_L: Tensor, written: Written | None) -> Tensor:
        """Encode with a row per feature, as a file does: ONNX Runtime takes whole rows ten times as fast as numbers out of each.

        Shape: x (F, N) -> (K, N).
        """
        missing = x_FN.isnan()
        known = x_FN.masked_fill(missing, 0.0)
        if self.holes.numel():
            known = torch.cat([known, missing.index_select(0, self.holes).to(x_FN.dtype)])
        found = ((known.index_select(0, self.source) - low_L[:, None]) * scale_L[:, None]).clamp(0, 1)
        if written is None:
            return found
        source, low, scale = written.pieces
        each = ((known.index_select(0, source) - low[:, None]) * scale[:, None]).clamp(0, 1)
        return torch.cat([found, each.index_select(0, written.first) * each.index_select(0, written.second)])


class Front(nn.Module):
    """The edges of a network, in its state: where pieces begin, how steep they are, and normal quantiles at the edges.

    Made before any rows are seen, the edges suit numbers that are distributed normally.
    Shape: x (N, F) -> (N, K). Source: Gorishniy et al. 2022, arXiv:2203.05556, section 3.2; both ends are clipped here.
    """

    low: Tensor  # (L,)
    scale: Tensor  # (L,) one over the width
    rise: Tensor  # (G,) of the normal quantile over a piece
    start: Tensor  # (M,) normal quantile at the first edge
    pair_source: Tensor  # of `Sides`; only where there are pairs, and made before any rows are seen they reach nothing
    pair_low: Tensor
    pair_scale: Tensor

    def __init__(self, inputs: InputSpec, edges: int, pairs: int = 0) -> None:
        super().__init__()
        self.layout = Layout.of(inputs, edges, pairs)
        self.written: Written | None = None
        self.index = Index(self.layout, inputs.width)
        others = self.layout.alone - sum(self.layout.pieces)
        here = torch.get_default_device()
        with torch.device("cpu"):  # on the meta device, where sizes are told, `diff` loads torch's compiler: 0.6 s
            at = [torch.special.ndtri(torch.linspace(0.02, 0.98, n + 1, device="cpu")) for n in self.layout.pieces]
            rise = torch.cat([torch.zeros(0), *(torch.diff(e) for e in at)])
            low = torch.cat([*(e[:-1] for e in at), torch.zeros(others)])
            scale = torch.cat([1 / rise, torch.ones(others)])
            start = torch.stack([e[0] for e in at]) if at else torch.zeros(0)
        for name, value in (("low", low), ("scale", scale), ("rise", rise), ("start", start)):
            self.register_buffer(name, value.to(here))
        if sides := 2 * self.layout.products:
            self.register_buffer("pair_source", torch.zeros(sides, dtype=torch.long))
            self.register_buffer("pair_low", torch.full((sides,), PAST_ALL))
            self.register_buffer("pair_scale", torch.ones(sides))

    @property
    def sides(self) -> Sides | None:
        """Return what the products are made of."""
        return Sides(self.pair_source, self.pair_low, self.pair_scale) if self.layout.products else None

    def forward(self, x_NF: Tensor) -> Tensor:
        if torch.onnx.is_in_onnx_export():
            return self.index.upright(x_NF.t(), self.low, self.scale, self.written).t()
        return self.index.encode(x_NF, self.low, self.scale, self.sides)

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

    def __init__(self, inputs: InputSpec, edges: int, width: int, pairs: int = 0) -> None:
        super().__init__()
        self.front = Front(inputs, edges, pairs)
        self.first = nn.Linear(self.front.layout.weights, width)
        self.is_settled = False

    def lifted(self, x_NF: Tensor) -> Tensor:
        """Encode rows and send them through the first layer."""
        if self.is_settled:
            weight = self.first.weight[:, : self.front.layout.encoded]
            if torch.onnx.is_in_onnx_export() and self.front.written is not None:
                weight = self.written_weight
            return linear(self.front(x_NF), weight, self.first.bias)
        return linear(self.front(x_NF), *self.front.folded(self.first.weight, self.first.bias))

    def settle(self) -> None:
        """Fold the weights of the normal quantiles into the others, which answers alike; there is no learning after it."""
        encoded = self.front.layout.encoded
        with torch.no_grad():
            weight, bias = self.front.folded(self.first.weight, self.first.bias)
            self.first.weight[:, :encoded], self.first.weight[:, encoded:] = weight, 0
            self.first.bias.copy_(bias)
            if (sides := self.front.sides) is not None:
                alone = self.front.layout.alone
                self.front.written = Written.of(sides)
                products = weight[:, alone:].index_select(1, self.front.written.there)
                self.written_weight = torch.cat([weight[:, :alone], products], dim=1)
        self.is_settled = True

    def units(self) -> tuple[Units, ...]:
        """Name the units behind the first layer: none where it gives the answers."""
        return ()

    def flops(self) -> int:
        """Count the operations of one row: 2 for every weight of a matrix, but for those that are folded into others."""
        folded = len(self.front.layout.numbers) * self.first.out_features
        return 2 * (sum(p.numel() for p in self.parameters() if p.dim() == 2) - folded)
