"""Loss values of an epoch, gathered without making the device wait, and the watch for NaN and infinity."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from kd_core.errors import KDError

WATCH_STEPS = 4  # a GPU is asked about the loss of 4-8 steps ago, which it has finished by then


TERMS = ("total", "hard", "soft")


@dataclass(frozen=True)
class BatchTerms:
    """The loss of a batch: what is differentiated, and its two parts before their weights (None: absent).

    `known`: the network's logits with the total's gradient by them, where a formula gave it; the total is then a
    plain value without a graph. `shares`: how much each part moves the network, where that was measured on this batch.
    """

    total: Tensor
    hard: Tensor | None = None
    soft: Tensor | None = None
    known: tuple[Tensor, Tensor] | None = None
    shares: dict[str, float] | None = None

    def backward(self) -> None:
        """Add the total's gradient to the weights'."""
        if self.known is None:
            self.total.backward()  # type: ignore[no-untyped-call]
        else:
            torch.autograd.backward(*self.known)


@dataclass(frozen=True)
class EpochLoss:
    """Means over the rows of an epoch."""

    total: float
    hard: float | None
    soft: float | None
    shares: dict[str, float] | None = None


class NonFiniteLoss(KDError):
    """The loss became NaN or infinite. `kept` is the training up to its best epoch, or None before the first."""

    kept: object | None = None


def non_finite(step: int, batch: int, epoch: int, value: float) -> NonFiniteLoss:
    """Name the step (over the whole training) and the batch (of the epoch), both from 1."""
    return NonFiniteLoss(
        "The training loss became {value} at step {step} (epoch {epoch}, batch {batch}).",
        "Lower the learning rate; if that does not help, look for extreme values in the columns.",
        "non_finite_loss",
        value=value,
        step=step,
        epoch=epoch,
        batch=batch,
    )


class Meter:
    """Adds up loss values weighted by rows. On the CPU values are read at once, elsewhere a few steps later."""

    def __init__(self, device: torch.device, steps: int) -> None:
        self.steps, self.device, self.direct = steps, device, device.type == "cpu"
        self.names: tuple[str, ...] = ()
        self.buffer: Tensor | None = None

    def start(self, epoch: int) -> None:
        """Begin an epoch."""
        self.epoch, self.step = epoch, 0
        self.rows: list[int] = []
        self.sums: list[float] = []
        self.shares: dict[str, float] | None = None
        self.pending: tuple[int, Tensor, torch.cuda.Event] | None = None

    def add(self, terms: BatchTerms, rows: int) -> None:
        """Take a batch's terms. Errors: NonFiniteLoss at the latest 10 steps after the value appeared."""
        if not self.names:
            self.names = tuple(name for name in TERMS if getattr(terms, name) is not None)
        self.rows.append(rows)
        self.shares = terms.shares or self.shares
        if self.direct:
            self._add_now(terms, rows)
        else:
            self._add_later(terms)
        self.step += 1

    def _add_now(self, terms: BatchTerms, rows: int) -> None:
        total = terms.total.item()
        if not math.isfinite(total):
            raise self._error(self.step, total)
        if not self.sums:
            self.sums = [0.0] * len(self.names)
        self.sums[0] += total * rows
        for i, name in enumerate(self.names[1:], 1):
            self.sums[i] += getattr(terms, name).item() * rows

    def _add_later(self, terms: BatchTerms) -> None:
        if self.buffer is None:
            self.buffer = torch.empty(self.steps, len(self.names), dtype=torch.float64, device=self.device)
        values = [getattr(terms, name).detach().double() for name in self.names]
        torch.stack(values, out=self.buffer[self.step])
        if self.step % WATCH_STEPS == WATCH_STEPS - 1:
            self._watch()

    def _watch(self) -> None:
        """Ask for the newest total and look at the one asked for before: no waiting for work just queued."""
        assert self.buffer is not None
        before, self.pending = self.pending, None
        copied = torch.empty((), dtype=torch.float64, pin_memory=True)
        copied.copy_(self.buffer[: self.step + 1, 0].sum(), non_blocking=True)
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        self.pending = (self.step, copied, event)
        if before is not None:
            before[2].synchronize()
            if not math.isfinite(before[1].item()):
                self._raise_first()

    def _raise_first(self) -> None:
        assert self.buffer is not None
        totals = self.buffer[: self.step + 1, 0].cpu()
        bad = (~torch.isfinite(totals)).nonzero()
        if len(bad):
            raise self._error(int(bad[0]), float(totals[bad[0]]))

    def _error(self, step: int, value: float) -> NonFiniteLoss:
        return non_finite((self.epoch - 1) * self.steps + step + 1, step + 1, self.epoch, value)

    def finish(self) -> EpochLoss:
        """End the epoch: row-weighted means, so a short last batch counts as what it is."""
        rows = sum(self.rows)
        if self.buffer is not None:
            self._raise_first()
            weights = torch.tensor(self.rows, dtype=torch.float64)
            self.sums = (self.buffer[: self.step].cpu() * weights[:, None]).sum(0).tolist()
        means = {name: s / rows for name, s in zip(self.names, self.sums, strict=True)}
        return EpochLoss(means["total"], means.get("hard"), means.get("soft"), self.shares)


@contextmanager
def matmul_precision(precision: str, device: torch.device) -> Iterator[None]:
    """Let float32 products use TF32 on a GPU unless float32 was asked for by name."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if device.type == "cuda" and precision == "auto" else before)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
