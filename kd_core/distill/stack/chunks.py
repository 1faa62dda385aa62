"""Stacks that fit the memory: a list of variants is trained in pieces, smaller ones when memory runs out."""

from __future__ import annotations

import contextlib
import gc
import math
from collections.abc import Iterator
from dataclasses import replace

import torch

from kd_core.distill.stack import fused
from kd_core.distill.stack.stacking import STACK_BYTES
from kd_core.distill.sweep.variants import TrainedVariant, Variant
from kd_core.distill.sweep.work import Hooks, SweepWork
from kd_core.errors import KDError
from kd_core.machine.device import free_bytes as free_bytes

MEMORY_SHARE = 0.6  # of what is free; the rest is for the optimiser's and the allocator's passing needs


def fitting(needed: int, count: int, free: int) -> int:
    """Return how many of `count` variants, which take `needed` bytes together, to train at once; at least 1."""
    most = MEMORY_SHARE * free
    return count if needed <= most else max(1, int(count * most / needed))


def train(work: SweepWork, hooks: Hooks, lanes: int) -> dict[int, TrainedVariant]:
    """Train the variants as stacks that fit the memory; what finished before memory ran out is kept.

    Errors: KDError `out_of_memory` when one variant alone does not fit; others as in `fused.train`.
    """
    found: dict[int, TrainedVariant] = {}

    def take(number: int, trained: TrainedVariant) -> None:
        found[number] = trained
        hooks.on_trained(number, trained)

    left, count = list(work.variants), len(work.variants)
    needed = min(fused.estimate_bytes(work), lanes * STACK_BYTES[work.device.type])  # stacks are divided there anyway
    most = fitting(needed, count, free_bytes(work.device))
    if most < count:
        taken = f"{count} networks would take {needed / 1e9:.2g} GB, more than is free on {work.device}."
        hooks.notify(_warning(taken, most))
    while left and not hooks.should_stop():
        now, ran_out = left[:most], False
        try:
            with _one_kind_of_memory_error():
                fused.train(work.only(now), replace(hooks, on_trained=take), lanes)
        except MemoryError:
            ran_out = True
        if not ran_out:
            left = left[len(now) :]
            continue
        _let_go(work.device)
        if len(now) == 1:
            raise _out_of_memory(work.variants[now[0]], work.device)
        most = math.ceil(len(now) / 2)
        left = [n for n in left if n not in found]
        hooks.notify(
            _warning(f"The memory of {work.device} ran out while {len(now)} networks were trained at once.", most)
        )
    return found


def _let_go(device: torch.device) -> None:
    """Free what a failed attempt held; only once its error is gone, whose traceback holds the tensors."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _out_of_memory(variant: Variant, device: torch.device) -> KDError:
    return KDError(
        "The memory of {device} ran out while the student '{name}' was trained alone.",
        "Choose a smaller student or batch size, or another device.",
        "out_of_memory",
        device=str(device),
        name=variant.student.name,
    )


@contextlib.contextmanager
def _one_kind_of_memory_error() -> Iterator[None]:
    """Turn what torch raises when memory runs out into MemoryError: on the CPU it is a plain RuntimeError."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise MemoryError(str(error)) from None
    except RuntimeError as error:
        if "DefaultCPUAllocator" not in str(error):
            raise
        raise MemoryError(str(error)) from None


def _warning(message: str, most: int) -> dict[str, object]:
    return {
        "kind": "warning",
        "code": "smaller_chunk",
        "message": message,
        "hint": f"At most {most} are trained at once now; the results are the same, it takes longer.",
    }
