"""Dropout that draws from its training's own stream, so that trainings side by side don't disturb each other."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from kd_core.seeding import derive

_OWN = threading.local()


def seed_masks(seed: int, device: torch.device) -> None:
    """Begin the stream of masks of the training in this thread anew."""
    _OWN.stream = torch.Generator(device).manual_seed(seed)


def own_stream() -> torch.Generator | None:
    """Return the stream of the training in this thread; None outside one, for torch's global stream."""
    return getattr(_OWN, "stream", None)


class Dropout(nn.Dropout):
    """As `nn.Dropout`, bit for bit on the CPU, but from the thread's stream instead of torch's one global stream."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.p:
            return x
        kept = 1 - self.p
        return x * torch.empty_like(x).bernoulli_(kept, generator=own_stream()).div_(kept)


def use_own_stream(module: nn.Module) -> nn.Module:
    """Let every `nn.Dropout` of a network draw from its training's stream; authors need not know of it."""
    for part in module.modules():
        if type(part) is nn.Dropout:
            part.__class__ = Dropout
    return module


@contextlib.contextmanager
def masks_beside(name: str) -> Iterator[None]:
    """Draw masks from a second stream inside, one per stream of the training and name, so that the first goes on as if alone.

    It begins with the training's own: a resumed epoch has the same masks.
    """
    own = own_stream()
    if own is None:
        yield
        return
    kept = getattr(_OWN, "beside", None)
    if kept is None or kept[0] is not own or kept[1] != name:
        made = torch.Generator(own.device).manual_seed(derive(own.initial_seed(), name))
        kept = _OWN.beside = (own, name, made)
    _OWN.stream = kept[2]
    try:
        yield
    finally:
        _OWN.stream = own
