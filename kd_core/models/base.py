"""What every architecture is: a builder of modules that return `Outputs`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from kd_core.data.input_spec import InputSpec
from kd_core.registry import Registry
from kd_core.task import TargetKind

if TYPE_CHECKING:
    import onnx

Array = npt.NDArray[Any]

SizeName = Literal["tiny", "small", "base", "large"]


@dataclass(frozen=True)
class Outputs:
    """What a network says about a batch. Legend: N rows, C outputs, K members, D width.

    logits (N, C); features (N, D), the last hidden layer, or None; members (N, K, C) for ensembles
    whose members learn separately (the hard-label loss then averages over members), else None.
    hidden: maps of inner stages by name, each (N, K, H, W) or (N, H, W), the last stage last, of a network that `ShowsMaps` and was
    asked to, or what one that `ShowsRelations` shows. Of a teacher's answers: fold (N,), which fit gave them, None where one gave all; group (N,),
    which rows belong together, for tasks whose rows are compared within a group (None: all do); kinds, which logits answer one question
    together and of which kind, for a task that is several (`Task.kinds`).
    """

    logits: Tensor
    features: Tensor | None = None
    members: Tensor | None = None
    hidden: Mapping[str, Tensor] = field(default_factory=dict)
    fold: Tensor | None = None
    group: Tensor | None = None
    kinds: tuple[tuple[TargetKind, tuple[int, ...]], ...] = ()

    def rows(self, at: Tensor) -> Outputs:
        """Return what was said about some rows. Shape: at (R,) positions."""
        return self.each(lambda x: x.index_select(0, at))

    def each(self, change: Callable[[Tensor], Tensor]) -> Outputs:
        """Return the same with every tensor changed."""
        own: dict[str, Any] = {name: change(x) for name, x in vars(self).items() if isinstance(x, Tensor)}
        return replace(self, **own, hidden={name: change(x) for name, x in self.hidden.items()})


# pull(z, first) -> gradient and curvature of the lesson at the training rows' logits z (N, C), row by row: two arrays of float32 for
# the outputs from `first` on
Pull = Callable[[Array, int], tuple[Array, Array]]


class Rounds(Protocol):
    """Learning in rounds by a procedure of its own, without gradient descent. Legend: N rows, C outputs."""

    most: int  # rounds; every arm may take all of them

    def step(self, pull: Pull) -> bool:
        """Learn one more round; False when there is nothing more to learn, and then the answers stay as they were."""

    def answers(self) -> tuple[Array, Array]:
        """Return what the rounds so far answer: logits (N, C) float32 of the training and of the validation rows."""

    def fill(self, module: nn.Module, rounds: int) -> None:
        """Write what the first rounds have learned into the architecture's module."""


# fits(spec, x, x_validation, start, seed[, apart]) -> Rounds; start (C,): the one answer that suits all training rows best; apart=True
# where outputs are no classes of one answer
Fits = Callable[[Any, Array, Array, Array, int], Rounds]


@runtime_checkable
class Settles(Protocol):
    """A network that has a shorter form once it has learned."""

    def settle(self) -> None:
        """Take that form: the answers stay, but for rounding, and so do the names and shapes of the weights."""


@runtime_checkable
class Shortens(Protocol):
    """A module that knows better than float16 which of its numbers may be rounded, and how far."""

    def shorten(self, x_NF: Array) -> None:
        """Round what was learned to numbers that pack well; the training rows `x_NF` say what answers must stay."""


@runtime_checkable
class ReadsFirst(Protocol):
    """A network that reads only the first terms of its view: its file holds no others (`View.first`)."""

    def reads(self) -> int:
        """Count them."""


@runtime_checkable
class ShowsMaps(Protocol):
    """A convolutional network that fills `Outputs.hidden` with the maps (N, K, H, W) of its stages while `shows_maps` is set."""

    shows_maps: bool


@runtime_checkable
class ShowsRelations(Protocol):
    """A transformer that fills `Outputs.hidden` with what its last block asks while `shows_relations` is set: `query`, `key` and `value`
    (N, L, D), all heads side by side, what it makes of each word, `word` (N, L, D), and `words` (N, L), 1 where there is a word.
    """

    shows_relations: bool


@runtime_checkable
class Combines(Protocol):
    """An ensemble that must know which of its logits belong together, to average its members' answers."""

    def combine(self, kinds: Sequence[tuple[TargetKind, tuple[int, ...]]]) -> None:
        """Average as `Task.kinds` says. Until told, several outputs are the classes of one answer, one output is a number."""


@runtime_checkable
class OwnONNX(Protocol):
    """A module that writes its ONNX file itself, since no exporter knows how."""

    def onnx_model(self) -> onnx.ModelProto:
        """Return a model with the input `x` and the output `logits`, for any number of rows."""

    def trying_rows(self) -> npt.NDArray[np.float32]:
        """Return rows on which two runtimes would differ first, to compare them by. Shape: (R, F)."""


# build(spec, inputs, num_outputs) -> nn.Module whose forward takes rows as `inputs` describes them and returns Outputs
Builder = Callable[[Any, InputSpec, int], nn.Module]

GIVES = frozenset({"logits", "features", "head"})  # of an architecture that says nothing else

# facts: apart=why its networks have no stacked form, where that was measured or thought through;
# facts: takes=(view, ...), the ways of reading rows that it can do with, the first that a dataset offers is used; gives=what its
# `Outputs` hold where that is not `GIVES` ("head": its last module is linear and maps features to logits);
# roles=("student",) | ("teacher",) | both; not_both="why it has one role only", after "can't be a student:" or "... teacher:";
# presets={"tiny": {...settings...}, ...}; candidates={size by name or None: turn}, what is tried where the best student is to be
# found, those of a low turn first, as the time may run out; named={name: {...settings...}}: names that
# stand where a size does; dense=True where each row meets every weight matrix exactly once, so that the operations
# follow from the weights (the laws compare), flops=function(module) -> operations of a row where they follow from it otherwise; of
# neither they are traced; prepares=function(setting, inputs, x_train, targets) -> part of the state that a student takes from the
# training rows and its lesson before it learns, the same for all seeds, prepared_by=function(spec) -> that setting; teachers:
# teaching={name: field, ...}, settings of size and training that differ from other teachers'; fits=a `Fits` of a student that learns
# by a procedure of its own, then with seconds=function(spec, rows, features, outputs) -> seconds of one training on an idle core;
# file_bytes=function(spec, outputs) -> the most bytes in a file where they don't follow from the weights, least={...settings...} of
# the smallest there is then; warning=function(inputs) -> None, or code, message and hint
# of what to say before training; slower=factor on the estimated step; row_seconds=function(inputs) -> seconds of a row of a step
# beside its matrix products; epochs_share=share of a teacher's epochs that are trained where that is not the usual one; batch=the most rows of a step
# where that is not asked for, rate=how many times as large steps of the optimiser suit it
ARCHS: Registry[Builder] = Registry("architecture")


def by_rounds(arch: str) -> bool:
    """Say whether students of an architecture grow by rounds, as trees do, and not by steps of a gradient; no unknown one does."""
    return arch in ARCHS.names() and "fits" in ARCHS.get(arch).facts
