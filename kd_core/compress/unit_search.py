"""The units of a network: those that its modules know of, and those that the graph of its operations tells.

A convolution's channels are read by the next one, normalised in between and added to others: what must go together follows from the
graph, which the library Torch-Pruning draws. Source: DepGraph, arXiv:2301.12900.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from kd_core.compress.cutting import cut
from kd_core.data.input_spec import InputSpec
from kd_core.errors import KDError
from kd_core.models.base import OwnONNX
from kd_core.models.reshape.thin import THIN_COLUMNS, THIN_PLACES, ThinEmbedding, ThinLinear
from kd_core.models.reshape.units import KnowsUnits, Place, Units

_KINDS: tuple[tuple[type[nn.Module], str], ...] = (
    (nn.Conv2d, "channels"),
    (nn.Conv1d, "filters"),
    (nn.Embedding, "columns"),
)
_LEAST = 2  # units; of a single one nothing can go


def found_units(module: nn.Module, inputs: InputSpec) -> tuple[Units, ...]:
    """Find the groups of units that can be taken out, in the order of their names; what the network answers keeps its shape.

    None of a network without inner units, such as a linear one, or trees. Errors: KDError `unknown_units`, `no_torch_pruning`.
    """
    if isinstance(module, OwnONNX):
        return ()
    own = tuple(
        group.inside(name)
        for name, part in module.named_modules()
        if isinstance(part, KnowsUnits)
        for group in part.units()
    )
    thin = {name: part for name, part in module.named_modules() if isinstance(part, ThinLinear | ThinEmbedding)}
    own = tuple(_in_thin(group, thin) for group in own)
    taken = {(place.tensor, place.axis) for group in own for place in group.places()}
    told = () if isinstance(module, KnowsUnits) else _by_graph(module, inputs)  # who knows its own needs no graph
    apart = (g for g in told if not any((place.tensor, place.axis) in taken for place in g.places()))
    found = (*own, *(g for g in apart if g.count >= _LEAST and _can_go(module, inputs, g)))
    return tuple(sorted((g for g in found if g.count >= _LEAST), key=lambda g: g.layer))


def _in_thin(group: Units, thin: Mapping[str, nn.Module]) -> Units:
    """Find a group again in layers that were taken apart into two."""

    def moved(place: Place) -> Place:
        name, _, own = place.tensor.rpartition(".")
        if (part := thin.get(name)) is None:
            return place
        own, axis = THIN_COLUMNS if isinstance(part, ThinEmbedding) else THIN_PLACES[own, place.axis]
        return Place(f"{name}.{own}", axis, place.at)

    return replace(group, lanes=tuple(tuple(map(moved, lane)) for lane in group.lanes))


def _can_go(module: nn.Module, inputs: InputSpec, group: Units) -> bool:
    """Say whether the network still answers, in the same shape, without the group's last unit."""
    one = np.arange(group.count) == group.count - 1
    example = torch.from_numpy(inputs.example(2))
    try:
        less = cut(module, [(group, [one] * len(group.lanes))])
        with torch.inference_mode():
            wanted, found = module(example).logits, less(example).logits
    except (RuntimeError, KDError, IndexError, ValueError):  # the graph did not tell all that depends on it
        return False
    return bool(wanted.shape == found.shape)


def _library() -> Any:
    """Import Torch-Pruning, which only pruning needs. Errors: KDError `no_torch_pruning`."""
    try:
        import torch_pruning
    except ImportError as error:
        raise KDError(
            "Torch-Pruning can't be loaded ({why}), and it tells which units of this network go together.",
            "Install it with 'pip install -r requirements.txt', or leave this step out.",
            "no_torch_pruning",
            why=error,
        ) from error
    return torch_pruning


def _by_graph(module: nn.Module, inputs: InputSpec) -> tuple[Units, ...]:
    """Ask Torch-Pruning, which works on a copy, what goes together."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch_pruning = _library()
        traced = copy.deepcopy(module).cpu().eval().requires_grad_(True)
        example, answers = torch.from_numpy(inputs.example(2)), lambda out: out.logits
        roots = [nn.Linear, nn.Conv1d, nn.Conv2d, nn.Embedding]
        try:
            graph = torch_pruning.DependencyGraph().build_dependency(
                traced, example, output_transform=answers, verbose=False
            )
            groups = list(graph.get_all_groups(root_module_types=roots))
        except Exception as error:  # the library names no errors of its own: a network that it can't follow ends in any
            raise KDError(
                "The graph of this network can't be followed: {error}.",
                "Leave this step out, or let the architecture name its units (`KnowsUnits`).",
                "unknown_units",
                error=f"{type(error).__name__}: {error}".splitlines()[0],
            ) from error
    names: dict[Any, str] = {part: name for name, part in (*traced.named_modules(), *traced.named_parameters())}
    bare = dict(graph.unwrapped_parameters)
    made = (_units(group, names, bare) for group in groups)
    return tuple(group for group in made if group is not None)


def _units(group: Any, names: dict[Any, str], bare: dict[Any, int]) -> Units | None:
    """Turn a group of the library's into places; None where nobody reads its units, as those of the answers.

    `names` of modules and parameters; `bare`: parameters that belong to no layer that the library knows, and the axis it cuts.
    """
    root, places, is_read = group[0].dep.target.module, dict[tuple[str, int], Place](), False
    for item in group:
        part, is_out = item.dep.target.module, "out_channels" in item.dep.handler.__name__
        axes = [(names[part], bare[part])] if part in bare else _axes(names.get(part, ""), part, is_out)
        if not axes:
            continue
        is_read |= not is_out
        rows: dict[int, list[int]] = {}
        for at, unit in zip(item.idxs, item.root_idxs, strict=True):
            rows.setdefault(unit, []).append(at)
        if sorted(rows) != list(range(len(group[0].idxs))) or len({len(row) for row in rows.values()}) > 1:
            return None
        positions = np.array([rows[unit] for unit in sorted(rows)])
        places |= {(tensor, axis): Place(tensor, axis, positions) for tensor, axis in axes}
    kind = next((kind for sort, kind in _KINDS if isinstance(root, sort)), "units")
    return Units(names[root], kind, (tuple(places.values()),)) if is_read else None


def _axes(name: str, part: nn.Module, is_out: bool) -> list[tuple[str, int]]:
    """Name the tensors of a layer that have an entry for every unit that it makes, or reads, and along which axis."""
    found: list[tuple[str, int]] = []
    if isinstance(part, nn.Linear | nn.Conv1d | nn.Conv2d):
        alone = isinstance(part, nn.Conv2d) and part.groups > 1
        found = [("weight", 0), ("bias", 0)] if is_out else [] if alone else [("weight", 1)]
    elif isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
        found = [(own, 0) for own in ("weight", "bias", "running_mean", "running_var")]
    elif isinstance(part, nn.LayerNorm):
        found = [("weight", 0), ("bias", 0)]
    elif isinstance(part, nn.Embedding):
        found = [("weight", 1)]
    return [(f"{name}.{own}", axis) for own, axis in found if getattr(part, own) is not None]
