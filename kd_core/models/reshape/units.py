"""Which numbers of a network belong to one unit: a neuron, a channel, an attention head, a column of an embedding.

Legend: U units of a group, M positions that a unit has along an axis.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Place:
    """Where units lie in one tensor of the state: `at` (U, M) positions along the axis, a row per unit."""

    tensor: str
    axis: int
    at: Positions

    @classmethod
    def every(cls, tensor: str, axis: int, units: int, blocks: int = 1, offset: int = 0) -> Place:
        """Place unit k at `offset` + k, and again in each of so many blocks of `units` positions. Example: the gates of a GRU."""
        return cls(tensor, axis, offset + np.arange(units)[:, None] + units * np.arange(blocks)[None])


@dataclass(frozen=True)
class Units:
    """Units that can be taken out of a network, each with all its numbers. `layer` names the group, `kind` what a unit is.

    `lanes`: places by lane. As many units go from each lane as from the others, though not the same ones: the two
    directions of a recurrent layer have equally many.
    """

    layer: str
    kind: str
    lanes: tuple[tuple[Place, ...], ...]

    @property
    def count(self) -> int:
        """Count the units of a lane."""
        return len(self.lanes[0][0].at)

    def inside(self, name: str) -> Units:
        """Return the same group as the network sees it that has this one's module under that name."""
        if not name:
            return self
        lanes = tuple(tuple(replace(p, tensor=f"{name}.{p.tensor}") for p in lane) for lane in self.lanes)
        return Units(f"{name}.{self.layer}", self.kind, lanes)

    def places(self) -> Iterable[Place]:
        """Return the places of all lanes."""
        return (place for lane in self.lanes for place in lane)


def layer_units(name: str, after: str, width: int) -> Units:
    """Name the units of a linear layer that one other layer reads."""
    places = (
        Place.every(f"{name}.weight", 0, width),
        Place.every(f"{name}.bias", 0, width),
        Place.every(f"{after}.weight", 1, width),
    )
    return Units(name, "units", (places,))


@runtime_checkable
class KnowsUnits(Protocol):
    """A module that says which of its numbers are units, since no graph of operations tells."""

    def units(self) -> tuple[Units, ...]:
        """Return its groups, tensors named from this module on."""


@runtime_checkable
class Resized(Protocol):
    """A module with attributes that follow from the shapes of its weights."""

    def resized(self) -> None:
        """Take them from the weights, which have other shapes now."""
