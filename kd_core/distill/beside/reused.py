"""Layers of a student started from a teacher's: from the last layer backwards, the units that the next layer listens to most.

A narrower student takes so many of a layer's units as it has itself, and of the layers before and after them the weights that belong to
these. That is a start: training changes all of it.

Source: the last layer arXiv:2203.14001; units chosen by their weight arXiv:2312.09299.
Legend: O units of a layer, I units of the one before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from kd_core.data.input_spec import InputSpec
from kd_core.data.views import VIEWS
from kd_core.models.base import ARCHS
from kd_core.models.building import build
from kd_core.models.weighted_terms import WeightedTerms
from kd_core.specs import Choice

HEAD = "head"  # the last layer of every network that has one


@dataclass(frozen=True)
class Taken:
    """What a student would take over: the names of its layers, the numbers before its last layer and the teacher's."""

    layers: tuple[str, ...]
    width: int
    teacher_width: int
    all_layers: int
    blocks: tuple[int, ...] = ()  # of the teacher's, counted from 1, that the student's blocks start from
    teacher_blocks: int = 0


def head_of(network: nn.Module) -> nn.Linear | None:
    """Return the last layer of a network, None where it has none that is one affine map."""
    found = getattr(network, HEAD, None)
    return found if isinstance(found, nn.Linear) else None


def take_over(student: nn.Module, teacher: nn.Module, *, spread: bool = False) -> tuple[str, ...]:
    """Start a student's layers from a teacher's and return their names, the last layer first.

    It goes back from the last layer as long as one plain layer follows another in both networks; the layer that reads the rows is taken
    from the one that does. Networks of one width also share what has the same name and shape; with `spread` blocks that follow each other
    are taken from all of the teacher's, every second one for half as many. `foresee` says before what that will be.
    """
    chosen: Tensor | None = None  # units of the teacher's layer that the student's stand for
    taken, reached = list[str](), set[str]()
    mine, theirs = list(_backwards(student)), list(_backwards(teacher))
    reads, teacher_reads = _first(student), _first(teacher)
    for (name, own), (_, other) in zip(mine, theirs, strict=False):
        first = own is reads
        if type(own) is not type(other) or first is not (other is teacher_reads) or not _fits(own, other, first):
            break
        chosen = _copy(own, other, chosen)
        taken.append(name)
        reached |= {f"{name}.{key}" for key in own.state_dict()}
    if mine and theirs and mine[0][1].state_dict()["weight"].shape != theirs[0][1].state_dict()["weight"].shape:
        return tuple(taken)
    known = {**teacher.state_dict(), **(_spread(student, teacher) if spread else {})}
    same = [key for key, value in student.state_dict().items() if key not in reached and _alike(value, known.get(key))]
    with torch.no_grad():
        for key in same:
            student.state_dict()[key].copy_(known[key])
    layers = dict.fromkeys(key.rpartition(".")[0] for key in same if student.state_dict()[key].dim() > 0)
    return tuple(dict.fromkeys((*taken, *(name for name in layers if name not in taken))))


def every(own: int, theirs: int) -> tuple[int, ...]:
    """Say which of the teacher's blocks, from 0, the student's start from: spread evenly, the last among them; none for more blocks.

    Example: `every(3, 6)` is (1, 3, 5). Source: every k-th layer arXiv:1908.09355, one layer out of two arXiv:1910.01108.
    """
    return tuple((i + 1) * theirs // own - 1 for i in range(own)) if own <= theirs else ()


def _lists(student: nn.Module, teacher: nn.Module) -> Iterator[tuple[str, int, int]]:
    """Yield the lists of blocks that both networks have, with how many each has."""
    for name, own in student.named_children():
        other = getattr(teacher, name, None)
        if isinstance(own, nn.ModuleList) and isinstance(other, nn.ModuleList) and len(own):
            yield name, len(own), len(other)


def _spread(student: nn.Module, teacher: nn.Module) -> dict[str, Tensor]:
    """Return the teacher's blocks under the names of the student's that start from them."""
    found: dict[str, Tensor] = {}
    for name, own, theirs in _lists(student, teacher):
        for mine, at in enumerate(every(own, theirs)):
            block = getattr(teacher, name)[at]
            found |= {f"{name}.{mine}.{key}": value for key, value in block.state_dict().items()}
    return found


def foresee(student: Choice, teacher: Choice, *, spread: bool = False) -> Taken | None:
    """Say what a student could take over, without building weights; None where one of them has no last layer to hand on.

    Widths do not depend on the data: an example of the view is read. Errors: UnknownName, SpecError.
    """
    kind = ARCHS.get(student.name).facts["takes"][0]
    inputs: InputSpec = VIEWS.get(kind).facts["example"]
    with torch.device("meta"):
        mine, theirs = (build(one, inputs, 2) for one in (student, teacher))
    own, other = head_of(mine), head_of(theirs)
    if own is None or other is None:
        return None
    layers = take_over(mine, theirs, spread=spread) if own.in_features <= other.in_features else ()
    name, count, of = next(_lists(mine, theirs), ("", 0, 0))
    positions = every(count, of) if spread else tuple(range(min(count, of)))
    blocks = tuple(at + 1 for i, at in enumerate(positions) if any(n.startswith(f"{name}.{i}.") for n in layers))
    with_weights = {name.rpartition(".")[0] for name, _ in mine.named_parameters()}
    kept = tuple(n for n in layers if n in with_weights)
    return Taken(kept, own.in_features, other.in_features, len(with_weights), blocks, of)


def _backwards(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield the layers with numbers, the last first, until one is met that is no plain layer."""
    for name, layer in reversed(list(network.named_children())):
        inside = reversed(list(layer.named_children())) if isinstance(layer, nn.Sequential) else [("", layer)]
        for own, part in inside:
            if isinstance(part, nn.Linear | nn.Conv2d | _BatchNorm | WeightedTerms):
                yield f"{name}.{own}".rstrip("."), part
            elif part.state_dict() or list(part.children()):
                return


def _first(network: nn.Module) -> nn.Module | None:
    """Return the layer that reads the rows: the first with weights."""
    return next((m for m in network.modules() if list(m.parameters(recurse=False))), None)


def _fits(own: Any, other: Any, first: bool) -> bool:
    """Say whether a layer is no larger than another and as many places wide; `first`: reads the same rows."""
    if isinstance(own, _BatchNorm):
        return bool(own.affine and own.num_features <= other.num_features)
    if isinstance(own, WeightedTerms):
        return all(a <= b for a, b in zip(own.vectors.shape, other.vectors.shape, strict=True))
    a, b = own.weight.shape, other.weight.shape
    return bool(
        a[0] <= b[0]
        and (a[1] == b[1] if first else a[1] <= b[1])
        and a[2:] == b[2:]
        and (own.bias is None) == (other.bias is None)
    )


def _copy(own: Any, other: Any, chosen: Tensor | None) -> Tensor | None:
    """Copy the chosen units of a layer; return the units of the layer before it that they listen to most."""
    with torch.no_grad():
        if isinstance(own, _BatchNorm):
            for key, value in own.state_dict().items():
                found = other.state_dict()[key]
                value.copy_(found if chosen is None or not found.dim() else found[chosen])
            return chosen
        if isinstance(own, WeightedTerms):  # terms stand in the order of their frequency, so the first are the same
            vectors = other.vectors[: len(own.vectors)]
            own.vectors.copy_(vectors if chosen is None else vectors[:, chosen])
            return None
        weight, bias = other.weight, other.bias
        if chosen is not None:
            weight, bias = weight[chosen], None if bias is None else bias[chosen]
        heard = weight.flatten(2).norm(dim=2) if weight.dim() > 2 else weight.abs()
        before: Tensor = heard.norm(dim=0).topk(own.weight.shape[1]).indices.sort().values
        own.weight.copy_(weight[:, before])
        if own.bias is not None and bias is not None:
            own.bias.copy_(bias)
    return before


def _alike(own: Tensor, other: Tensor | None) -> bool:
    return other is not None and own.shape == other.shape
