"""Units are taken out of a network: what is left is a smaller network, not one with zeros in it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from kd_core.models.reshape.reshaping import reshaped as reshaped  # for who makes a stage again
from kd_core.models.reshape.units import Units

Gone = npt.NDArray[np.bool_]  # (U,) by lane: which units of a group go


def cut(module: nn.Module, groups: Sequence[tuple[Units, Sequence[Gone]]]) -> nn.Module:
    """Return a copy of a network without some units of each group. Shape: per group one (U,) mask a lane."""
    made = copy.deepcopy(module)
    return reshaped(made, cut_state(made.state_dict(), groups))


def cut_state(state: Mapping[str, Tensor], groups: Sequence[tuple[Units, Sequence[Gone]]]) -> dict[str, Tensor]:
    """Return the numbers that are left without those units; tensors that lose nothing stay the same ones."""
    left = dict(state)
    lost: dict[tuple[str, int], set[int]] = {}
    for units, gone in groups:
        for lane, mask in zip(units.lanes, gone, strict=True):
            for place in lane:
                lost.setdefault((place.tensor, place.axis), set()).update(place.at[mask].ravel().tolist())
    for (name, axis), positions in lost.items():
        if positions:
            kept = [at for at in range(state[name].shape[axis]) if at not in positions]
            left[name] = left[name].index_select(axis, torch.tensor(kept, device=left[name].device))
    return left


def weakest(importance: npt.NDArray[np.floating], number: int) -> Gone:
    """Mark so many units of the least importance; of equal ones the last go."""
    gone = np.zeros(len(importance), bool)
    gone[np.argsort(-importance, kind="stable")[len(importance) - number :]] = True
    return gone


def number_cut(count: int, share: float) -> int:
    """Count the units that go of so many: a share of them, but never all."""
    return min(count - 1, round(share * count))
