"""How much each unit of a network matters, by its weights or by what the lesson says of them. Legend: U units of a lane."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from kd_core.compress.base import Stage, Work
from kd_core.distill import objective as objectives
from kd_core.models.reshape.units import Units
from kd_core.training.rows import as_tensor

Importance = npt.NDArray[np.float64]
Rule = Literal["magnitude", "taylor"]
_BATCHES, _BATCH = 16, 128  # rows that the lesson's slopes are taken from: more change few ranks


def magnitudes(state: Mapping[str, Tensor], learned: frozenset[str], group: Units) -> tuple[Importance, ...]:
    """Return the length of each unit's weights, those that make it and those that read it. Shape: (U,) by lane."""
    squares = {p.tensor: state[p.tensor].detach().double().square() for p in group.places() if p.tensor in learned}
    return tuple(np.sqrt(found) for found in _added(squares, group))


def importances(stage: Stage, work: Work, groups: tuple[Units, ...], rule: Rule) -> list[tuple[Importance, ...]]:
    """Rank the units of all groups by a rule; a larger number is a unit that is needed more. Shape: (U,) by group and lane."""
    learned = frozenset(name for name, _ in stage.module.named_parameters())
    if rule == "magnitude":
        state = stage.module.state_dict()
        return [magnitudes(state, learned, group) for group in groups]
    found = [tuple(np.zeros(group.count) for _ in group.lanes) for group in groups]
    for moved in _slopes(stage, work):
        for group, sums in zip(groups, found, strict=True):
            for total, one in zip(sums, _added(moved, group), strict=True):
                total += one**2
    return found


def _slopes(stage: Stage, work: Work) -> list[dict[str, Tensor]]:
    """Return, of a few batches, weight times slope: what the lesson would lose without the weight, to first order.

    Source: Molchanov et al. 2019, arXiv:1906.10771.
    """
    dataset = work.dataset
    lesson = objectives.make(
        dataset.task,
        None,
        dataset.scaled_y("train"),
        None,
        objectives.weights_for(dataset, work.training),
        None,
        dataset.dealt_by(),
        None,
    )
    module, rows = copy.deepcopy(stage.module).eval(), work.rows(stage).parts["train"]
    order = _drawn(len(rows), dataset.dealt_by(), work.seed)
    found = []
    for at in range(0, len(order), _BATCH):
        some = torch.from_numpy(
            order[at : at + _BATCH] if lesson.groups is not None else np.sort(order[at : at + _BATCH])
        )
        module.zero_grad(set_to_none=True)
        total = lesson(module(as_tensor(rows[some.numpy()])), some).total
        torch.autograd.backward(total)
        found.append({n: (p.detach() * p.grad).double() for n, p in module.named_parameters() if p.grad is not None})
    return found


def _drawn(rows: int, groups: npt.NDArray[np.int64] | None, seed: int) -> npt.NDArray[np.int64]:
    """Draw rows, those of a group beside each other."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(rows)
    if groups is not None:
        order = np.argsort(rng.permutation(int(groups.max()) + 1)[groups], kind="stable")
    return order[: _BATCHES * _BATCH]


def _added(values: Mapping[str, Tensor], group: Units) -> tuple[Importance, ...]:
    """Add up numbers over what belongs to each unit. Shape: (U,) by lane."""
    found = []
    for lane in group.lanes:
        total = np.zeros(group.count)
        for place in lane:
            if (value := values.get(place.tensor)) is not None:
                others = [axis for axis in range(value.dim()) if axis != place.axis]
                along = (value.sum(dim=others) if others else value).cpu().numpy()
                total += along[place.at].sum(axis=1)
        found.append(total)
    return tuple(found)
