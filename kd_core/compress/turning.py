"""Fewer columns of an embedding, turned before some go: where every reader is linear, no answer knows one column from another.

Legend: V rows of the embedding, D columns, W rows of all readers together, K the smaller of W and D, R columns that are kept.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from kd_core.compress.cutting import reshaped
from kd_core.data.dataset import Array
from kd_core.data.input_spec import TERM, InputSpec
from kd_core.models.reshape.units import Units


def can_turn(module: nn.Module, group: Units) -> bool:
    """Say whether a group's columns are looked up and then read by linear layers alone, with nothing in between."""
    state, lane = module.state_dict(), group.lanes[0]
    linear = (
        place.axis == 1 and state[place.tensor].dim() > 1 and place.at.shape == (group.count, 1) for place in lane
    )
    return group.kind == "columns" and len(group.lanes) == 1 and len(lane) > 1 and all(linear)


def singular_values(module: nn.Module, group: Units, uses: Array) -> npt.NDArray[np.float64]:
    """Tell how much each turned column adds to what readers get, falling. Shape: (K,)."""
    values: npt.NDArray[np.float64] = _turn(module.state_dict(), group, uses)[0].numpy()
    return values


def narrowed(module: nn.Module, group: Units, uses: Array, kept: int) -> nn.Module:
    """Keep so many columns, turned so that what readers get changes least; the network is changed in place and returned.

    `uses` (V,): how often each row is read, so that common words keep most. What is kept is turned once more, by chance of one seed, so
    that all columns hold equally much: a row of which one number is large loses its small ones where it is rounded to whole steps.
    Source: Eckart, Young 1936, on the product of embedding and readers; QuaRot, arXiv:2404.00456, for turning before rounding.
    """
    state = dict(module.state_dict())
    _, rows, read, counts = _turn(state, group, uses)
    mix, _ = torch.linalg.qr(torch.from_numpy(np.random.default_rng(0).standard_normal((kept, kept))))
    fill = (0, max(0, kept - rows.shape[1]))  # more columns than readers can tell apart say nothing
    rows, read = (nn.functional.pad(one[:, :kept], fill) @ mix for one in (rows, read))
    source, *readers = group.lanes[0]
    state[source.tensor] = rows.to(state[source.tensor].dtype)
    for place, part in zip(readers, read.split(counts), strict=True):
        old = state[place.tensor]
        others = old.movedim(1, -1).shape[:-1]
        state[place.tensor] = part.reshape(*others, kept).movedim(-1, 1).to(old.dtype).contiguous()
    return reshaped(module, state)


def uses_of(x: Array, inputs: InputSpec, rows: int) -> Array:
    """Count how often each row of an embedding is read in encoded rows, and once more for each; alike where that can't be told. Shape: (V,)."""
    if inputs.kind not in ("ngrams", "tokens"):
        return np.ones(rows)
    numbers = np.asarray(x) // (TERM if inputs.kind == "ngrams" else 1)
    counts = np.bincount(numbers.ravel(), minlength=rows)[:rows].astype(np.float64)
    counts[0] = 0  # what fills up
    return counts + 1.0


def _turn(state: dict[str, Tensor], group: Units, uses: Array) -> tuple[Tensor, Tensor, Tensor, list[int]]:
    """Return singular values (K,), the turned embedding (V, K), the turned readers (W, K), and the rows of each reader."""
    source, *readers = group.lanes[0]
    flat = [state[p.tensor].double().movedim(1, -1).reshape(-1, group.count) for p in readers]
    basis, inner = torch.linalg.qr(torch.cat(flat))
    mixed = state[source.tensor].double() @ inner.T
    weighed = mixed * torch.from_numpy(np.sqrt(uses)).double()[:, None]
    values, directions = torch.linalg.eigh(weighed.T @ weighed)
    order = torch.argsort(values, descending=True, stable=True)
    turn = directions[:, order]
    return values[order].clamp(min=0).sqrt(), mixed @ turn, basis @ turn, [len(one) for one in flat]
