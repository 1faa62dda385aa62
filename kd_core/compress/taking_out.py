"""Some units of each layer are taken out: the least needed ones, or of columns that can be turned what says least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from kd_core.compress.base import Stage, Work
from kd_core.compress.cutting import cut, weakest
from kd_core.compress.importance import Importance, Rule, importances
from kd_core.compress.turning import can_turn, narrowed, uses_of
from kd_core.compress.unit_search import found_units
from kd_core.data.dataset import Array
from kd_core.data.input_spec import InputSpec
from kd_core.errors import KDError
from kd_core.models.reshape.units import Units


@dataclass(frozen=True)
class Layer:
    """A group of units, how much each is needed (by lane), and where its columns can be turned how often each row is read."""

    units: Units
    importance: tuple[Importance, ...]
    uses: Array | None = None

    @property
    def count(self) -> int:
        """Count the units of a lane."""
        return self.units.count


def layers_of(stage: Stage, work: Work, rule: Rule) -> list[Layer]:
    """Find what can be taken out of a stage's network and rank it. Errors: KDError `unknown_units`."""
    viewed = work.rows(stage)
    groups = found_units(stage.module, viewed.spec)
    state, found = stage.module.state_dict(), []
    for group, ranked in zip(groups, importances(stage, work, groups, rule), strict=True):
        turns = can_turn(stage.module, group)
        rows = len(state[group.lanes[0][0].tensor])
        found.append(Layer(group, ranked, uses_of(viewed.parts["train"], viewed.spec, rows) if turns else None))
    return found


def without(module: nn.Module, plan: Sequence[tuple[Layer, int]]) -> nn.Module:
    """Return a copy of a network without so many units of each layer."""
    plain = [(one.units, [weakest(lane, n) for lane in one.importance]) for one, n in plan if n and one.uses is None]
    made = cut(module, plain)
    for one, number in plan:  # last, so that readers that are gone don't count
        if number and one.uses is not None:
            made = narrowed(made, one.units, one.uses, one.count - number)
    return made


def found_columns(module: nn.Module, inputs: InputSpec) -> list[Units]:
    """Find the embeddings whose columns can be turned, as they have linear readers alone; none where units are not known."""
    try:
        return [group for group in found_units(module, inputs) if can_turn(module, group)]
    except KDError:
        return []
