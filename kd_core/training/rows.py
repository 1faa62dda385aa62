"""Rows for training: on the device while they fit there, else streamed to it in chunks by a thread.

Legend: N rows, F features, B rows of a batch.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from kd_core.data.dataset import Array
from kd_core.machine.device import free_bytes

CHUNK_BYTES = (
    16 * 2**20
)  # rows gathered at once: long enough copies for a bus, short enough to be ahead of the first step
CHUNKS_AHEAD = 2  # one on its way while one is used
DEVICE_SHARE = 0.8  # of what is free and not spoken for: activations take the rest
MEMORY_SHARE = (
    0.5  # of the memory that other programs leave: pages of a mapped file are only kept while nobody else wants them
)
WAIT_SECONDS = 0.05  # how long a thread waits before it looks whether it should still wait


class RowReader(Protocol):
    """Hands out rows by position; where they lie is its own affair."""

    kind: Literal["resident", "streamed"]
    num_rows: int
    num_bytes: int
    budget_bytes: int | None

    def take(self, index: Tensor) -> Tensor:
        """Return rows on the device. Shape: index (B,) int64 -> (B, F)."""
        ...

    def epoch(self, index_batches: Sequence[Tensor]) -> Iterator[Tensor]:
        """Return the rows of each batch in turn, the same bits whatever the kind. Shape: (B, F) each."""
        ...

    def close(self) -> None:
        """End an epoch that is under way, its thread included; nothing happens when there is none."""
        ...


def open_rows(x: Array | Tensor, device: torch.device, *, num_bytes_reserved: int = 0) -> RowReader:
    """Choose how rows reach the device: resident when they fit the measured budget, else streamed.

    Rows that already lie in the CPU's memory are resident there whatever their size; a memory-mapped array
    (an `np.memmap`, or a view of one) counts as on disk. `num_bytes_reserved` is what else will be needed there.
    Shape: x (N, ...) float32 or integers.
    Example: `open_rows(np.load("x.npy", mmap_mode="c"), torch.device("cpu")).take(torch.tensor([3, 1]))`
    """
    mapped = not isinstance(x, Tensor) and is_mapped(x)
    rows = as_tensor(x)
    if rows.device.type == device.type and not mapped:
        return Resident(rows, device, None)
    budget = budget_bytes(device, num_bytes_reserved)
    if rows.numel() * rows.element_size() <= budget:
        return Resident(rows, device, budget)
    return Streamed(rows, device, budget)


def as_tensor(x: Array | Tensor) -> Tensor:
    """Take rows as a network reads them: float32, or the integers of token numbers and pixels as they are."""
    if isinstance(x, Tensor):
        return x
    return torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32 if x.dtype.kind == "f" else x.dtype))


def is_mapped(x: Any) -> bool:
    """Say whether an array's values lie in a file: an `np.memmap`, or a view of one."""
    while x is not None:
        if isinstance(x, np.memmap):
            return True
        x = getattr(x, "base", None)
    return False


def budget_bytes(device: torch.device, num_bytes_reserved: int = 0) -> int:
    """Measure how many bytes of rows may lie on the device: a share of what is free, less what is reserved."""
    share = DEVICE_SHARE if device.type == "cuda" else MEMORY_SHARE
    return max(0, int(share * (free_bytes(device) - num_bytes_reserved)))


class Resident:
    """Rows on the device. On the CPU a mapped file that fits stays mapped: its pages are kept in memory once read."""

    kind: Literal["resident", "streamed"] = "resident"

    def __init__(self, x: Tensor, device: torch.device, budget_bytes: int | None) -> None:
        self.x = x.to(device, non_blocking=True)
        self.num_rows, self.num_bytes, self.budget_bytes = len(x), x.numel() * x.element_size(), budget_bytes

    def take(self, index: Tensor) -> Tensor:
        """Return rows by position."""
        # the same rows, a third quicker for the few numbers of a table's row
        return torch.embedding(self.x, index) if self.x.dim() == 2 else self.x.index_select(0, index)

    def epoch(self, index_batches: Sequence[Tensor]) -> Iterator[Tensor]:
        """Return the rows of each batch in turn; positions lie on the device."""
        return map(self.take, index_batches)

    def close(self) -> None:
        """Do nothing: no epoch outlives its iterator."""


class Streamed:
    """Rows in the CPU's memory or in a mapped file, brought to the device by a thread, a few batches ahead."""

    kind: Literal["resident", "streamed"] = "streamed"

    def __init__(self, x: Tensor, device: torch.device, budget_bytes: int | None) -> None:
        self.x, self.device = x, device
        self.num_rows, self.num_bytes, self.budget_bytes = len(x), x.numel() * x.element_size(), budget_bytes
        self._feed: _Feed | None = None

    def take(self, index: Tensor) -> Tensor:
        """Return rows by position, without a thread."""
        return self.x.index_select(0, index.to(self.x.device)).to(self.device)

    def epoch(self, index_batches: Sequence[Tensor]) -> Iterator[Tensor]:
        """Return the rows of each batch in turn; an epoch still under way ends here."""
        self.close()
        self._feed = feed = _Feed(self.x, index_batches, self.device)
        return feed.batches()

    def close(self) -> None:
        """End an epoch that is under way and wait for its thread."""
        if self._feed is not None:
            self._feed.close()
            self._feed = None


@dataclass(frozen=True)
class _Chunk:
    rows: Tensor
    sizes: list[int]
    copied: torch.cuda.Event | None


class _Feed:
    """One epoch of batches, gathered by a thread that stays at most `CHUNKS_AHEAD` chunks ahead."""

    def __init__(self, x: Tensor, index_batches: Sequence[Tensor], device: torch.device) -> None:
        self.x, self.device = x, device
        self.groups = _grouped(index_batches, max(1, CHUNK_BYTES // max(1, x[:1].numel() * x.element_size())))
        self.ready: queue.Queue[_Chunk | Exception | None] = queue.Queue(CHUNKS_AHEAD)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._fill, name="rows", daemon=True)
        self.thread.start()

    def batches(self) -> Iterator[Tensor]:
        """Yield batches until the epoch ends, then the thread with it."""
        try:
            while (chunk := self._next()) is not None:
                if isinstance(chunk, Exception):
                    raise chunk
                if chunk.copied is not None:
                    stream = torch.cuda.current_stream(self.device)
                    stream.wait_event(chunk.copied)
                    chunk.rows.record_stream(stream)
                for piece in chunk.rows.split_with_sizes(chunk.sizes):
                    # A batch inside a chunk starts at an odd address, for which matrix products may round otherwise.
                    yield piece.clone()
        finally:
            self.close()

    def _next(self) -> _Chunk | Exception | None:
        while not self.ended.is_set():
            try:
                return self.ready.get(timeout=WAIT_SECONDS)
            except queue.Empty:
                continue
        return None

    def close(self) -> None:
        """End the thread and wait for it."""
        self.ended.set()
        self.thread.join()

    def _fill(self) -> None:
        try:
            gather = _Pinned(self.x, self.device) if self.device.type == "cuda" else _Plain(self.x)
            for group in self.groups:
                if self.ended.is_set():
                    return
                rows, copied = gather(torch.cat(group))
                self._put(_Chunk(rows, [len(index) for index in group], copied))
            self._put(None)
        except Exception as error:  # told to the thread that trains, which raises it
            self._put(error)

    def _put(self, item: _Chunk | Exception | None) -> None:
        while not self.ended.is_set():
            try:
                return self.ready.put(item, timeout=WAIT_SECONDS)
            except queue.Full:
                continue
        return None


def _grouped(index_batches: Sequence[Tensor], rows: int) -> list[list[Tensor]]:
    """Join batches into groups of at most `rows` rows, at least one batch each; positions are brought over at once."""
    if not index_batches:
        return []
    groups: list[list[Tensor]] = []
    held = 0
    sizes = [len(index) for index in index_batches]
    for index in torch.cat(list(index_batches)).cpu().split_with_sizes(sizes):
        if not groups or held + len(index) > rows:
            groups.append([])
            held = 0
        groups[-1].append(index)
        held += len(index)
    return groups


def _gather(x: Tensor, index: Tensor, out: Tensor) -> Tensor:
    """Gather rows in the order of the file, so that a disk is read in one direction, then put them in place."""
    ascending, place = index.sort()
    return out.index_copy_(0, place, x.index_select(0, ascending))


class _Plain:
    """Gathers into ordinary memory."""

    def __init__(self, x: Tensor) -> None:
        self.x = x

    def __call__(self, index: Tensor) -> tuple[Tensor, None]:
        return _gather(self.x, index, self.x.new_empty(len(index), *self.x.shape[1:])), None


class _Pinned:
    """Gathers into page-locked memory and copies from there on a stream of its own, beside the computation."""

    def __init__(self, x: Tensor, device: torch.device) -> None:
        self.x, self.device = x, device
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self.buffers: list[tuple[Tensor, torch.cuda.Event]] = []

    def __call__(self, index: Tensor) -> tuple[Tensor, torch.cuda.Event]:
        pinned = self._buffer(len(index))
        _gather(self.x, index, pinned)
        with torch.cuda.stream(self.stream):
            rows = pinned.to(self.device, non_blocking=True, copy=True)
            copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
            copied.record(self.stream)
        self.buffers.append((pinned, copied))
        return rows, copied

    def _buffer(self, rows: int) -> Tensor:
        """Take a buffer whose copy has ended; make one while there are fewer than can be under way."""
        if len(self.buffers) <= CHUNKS_AHEAD:
            return _page_locked(self.x, rows)
        pinned, copied = self.buffers.pop(0)
        copied.synchronize()
        return pinned[:rows] if len(pinned) >= rows else _page_locked(self.x, rows)


def _page_locked(x: Tensor, rows: int) -> Tensor:
    return torch.empty(rows, *x.shape[1:], dtype=x.dtype, pin_memory=True)


def streamed_warning(rows: RowReader) -> dict[str, Any] | None:
    """Return the `rows_streamed` warning for rows that do not stay on the device, else None."""
    if rows.kind != "streamed" or rows.budget_bytes is None:
        return None
    return {
        "kind": "warning",
        "code": "rows_streamed",
        "message": f"The encoded rows take {rows.num_bytes / 1e9:.3g} GB, there is room for {rows.budget_bytes / 1e9:.3g} GB: "
        "they are streamed in chunks while training.",
        "hint": "Results are the same, an epoch takes longer. Fewer columns or fewer categories make the rows fit.",
    }
