"""What every stack is: S networks of one family whose parameters lie in shared tensors.

Narrower networks are padded with zeros. A padded unit then gets a zero activation and a zero gradient for ever,
because every activation offered maps 0 to 0, so that padding changes no number.

Logits are (S, C, B), rows last: a softmax then runs over neighbouring numbers, which is 20 times faster for 10
classes than over 10 neighbours at a time (docs/LAB.md).

Legend: S networks, B rows of a batch, F inputs, C outputs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from kd_core.data.input_spec import InputSpec
from kd_core.registry import Registry

State = dict[str, Tensor]


class Stack(ABC):
    """S networks as one: `weights` holds one tensor (S, ...) per parameter, `grads` their gradients.

    A subclass names what must be equal inside a stack (`shape_key`) and computes forward and backward. `forward`
    remembers what the next `backward` needs; with `learning=False` it only answers.
    """

    exact_rows: ClassVar[bool] = False  # whether rows must keep their digits where products are made of shorter numbers

    def __init__(
        self, specs: Sequence[Any], states: Sequence[State], inputs: InputSpec, dtype: torch.dtype, device: torch.device
    ) -> None:
        self.specs, self.inputs = list(specs), inputs
        self.names = [list(state) for state in states]  # dropout shifts the numbers in the names, not the order
        self.shapes = [[tuple(t.shape) for t in state.values()] for state in states]
        full = [tuple(max(sizes) for sizes in zip(*of, strict=True)) for of in zip(*self.shapes, strict=True)]
        self.weights = [torch.zeros(len(states), *shape, dtype=dtype, device=device) for shape in full]
        for row, state in enumerate(states):
            for slot, tensor in zip(self.weights, state.values(), strict=True):
                corner(slot[row], tuple(tensor.shape)).copy_(tensor)
        self.grads = [torch.zeros_like(w) for w in self.weights]
        self.compute: list[Tensor] = self.weights  # what forward multiplies with: a bfloat16 copy when asked for
        self.rebuilt()

    @classmethod
    @abstractmethod
    def shape_key(cls, spec: Any) -> Hashable:
        """Name what networks in one stack must share: depth, activation and the like."""

    @classmethod
    @abstractmethod
    def width(cls, spec: Any) -> int:
        """Return the width, which may differ inside a stack; 0 where there is none."""

    @classmethod
    def input_width(cls, spec: Any, inputs: InputSpec) -> int:
        """Count the numbers of a row that a network of its own makes of the rows it is given; none where it reads them as they are."""
        return 0

    def encode(self, x: Tensor) -> Tensor:
        """Make of rows what `forward` reads, in the number format of its products. Shape: (S, B, F), where S may be expanded."""
        return x.to(self.compute[0].dtype)

    def hold(self, *parts: Tensor) -> None:
        """Encode rows once, where that is worth while and they fit; `look_up` then finds them, part after part. Shape: (N, F) each."""
        return

    def look_up(self, index: Tensor) -> Tensor | None:
        """Return rows as `encode` would, by position; None where they are not held. Shape: (S, B) -> (S, B, K)."""
        return None

    @abstractmethod
    def forward(self, x: Tensor, masks: Sequence[Tensor], learning: bool) -> Tensor:
        """Answer. Shape: x as `encode` gives it; masks one (S, B, width) per hidden layer or none -> (S, C, B)."""

    @abstractmethod
    def backward(self, dz: Tensor) -> None:
        """Fill `grads` from the gradient of the logits. Shape: dz (S, C, B)."""

    @abstractmethod
    def mask_widths(self, row: int) -> list[int]:
        """Widths of the dropout masks of one network, in the order in which its layers draw them."""

    @abstractmethod
    def padded_widths(self) -> list[int]:
        """Widths of the same layers in the stack's own tensors, whoever is left in it."""

    @property
    def widest(self) -> int:
        """Count the numbers that the widest layer makes of a row."""
        return max(w.shape[1] for w in self.weights)

    def __len__(self) -> int:
        return len(self.specs)

    @abstractmethod
    def rebuilt(self) -> None:
        """Adapt whatever was derived from the list of networks; called after it changed."""

    def keep(self, rows: Tensor) -> None:
        """Drop every network but these."""
        chosen = rows.tolist()
        self.specs = [self.specs[i] for i in chosen]
        self.names = [self.names[i] for i in chosen]
        self.shapes = [self.shapes[i] for i in chosen]
        self.weights = [w.index_select(0, rows.to(w.device)) for w in self.weights]
        self.grads = [torch.zeros_like(w) for w in self.weights]
        self.compute = self.weights
        self.rebuilt()

    def state(self, row: int, weights: Sequence[Tensor] | None = None) -> State:
        """Return one network's own weights on the CPU, without padding, as its module names them."""
        slots = zip(self.names[row], self.shapes[row], weights or self.weights, strict=True)
        return {name: corner(slot[row], shape).detach().cpu().contiguous().clone() for name, shape, slot in slots}


def corner(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return the view of the first `shape` entries along each dimension."""
    for dim, size in enumerate(shape):
        tensor = tensor.narrow(dim, 0, size)
    return tensor


# make = the Stack class; registered under the name of the architecture in ARCHS
STACKS: Registry[type[Stack]] = Registry("stack")
