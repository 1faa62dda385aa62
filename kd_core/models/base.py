"""What every architecture is: a builder of modules that return `Outputs`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from torch import Tensor, nn

from kd_core.data.input_spec import InputSpec
from kd_core.registry import Registry

SizeName = Literal["tiny", "small", "base", "large"]


@dataclass(frozen=True)
class Outputs:
    """What a network says about a batch. Legend: N rows, C outputs, K members, D width.

    logits (N, C); features (N, D), the last hidden layer, or None; members (N, K, C) for ensembles
    whose members learn separately (the hard-label loss then averages over members), else None.
    """

    logits: Tensor
    features: Tensor | None = None
    members: Tensor | None = None

    def rows(self, at: Tensor) -> Outputs:
        """Return what was said about some rows. Shape: at (R,) positions."""
        return replace(self, **{name: x.index_select(0, at) for name, x in vars(self).items() if x is not None})


# build(spec, inputs, num_outputs) -> nn.Module whose forward takes rows as `inputs` describes them and returns Outputs
Builder = Callable[[Any, InputSpec, int], nn.Module]

GIVES = frozenset({"logits", "features"})  # of an architecture that says nothing else

# facts: takes=(view, ...), the ways of reading rows that it can do with, the first that a dataset offers is used; gives=what its
# `Outputs` hold where that is not `GIVES`;
# roles=("student",) | ("teacher",) | both; presets={"tiny": {...settings...}, ...}; dense=True where each row meets every
# weight matrix exactly once, so that the operations follow from the weights (the laws compare), or function(module) ->
# operations; prepares=function(setting, inputs, x_train, targets) -> part of the state that a student takes from the training rows
# and its lesson before it learns, the same for all seeds, prepared_by=function(spec) -> that setting; teachers: teaching={name: field,
# ...}, settings of size and training that differ from other teachers'; warning=function(inputs) -> None, or code, message and hint
# of what to say before training; slower=factor on the estimated step
ARCHS: Registry[Builder] = Registry("architecture")
