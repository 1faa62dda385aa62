"""Stacks that fit the memory: a list of variants is trained in pieces, smaller ones when memory runs out."""

from __future__ import annotations

import contextlib
import gc
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from kd_core.data.dataset import Array, Dataset
from kd_core.device import free_bytes as free_bytes
from kd_core.distill.stack import fused
from kd_core.distill.stack.stacking import STACK_BYTES
from kd_core.distill.sweep import ways
from kd_core.distill.sweep.variants import Lessons, OnTrained, TrainedVariant, Variant
from kd_core.distill.sweep.ways import Precision
from kd_core.errors import KDError
from kd_core.specs import TrainingSpec
from kd_core.training.loop import Notify, ShouldStop, never

MEMORY_SHARE = 0.6  # of what is free; the rest is for the optimiser's and the allocator's passing needs


def fitting(needed: int, count: int, free: int) -> int:
    """Return how many of `count` variants, which take `needed` bytes together, to train at once; at least 1."""
    most = MEMORY_SHARE * free
    return count if needed <= most else max(1, int(count * most / needed))


def train_variants(
    dataset: Dataset,
    variants: Sequence[Variant],
    lessons: Lessons,
    training: TrainingSpec,
    *,
    metric: str | None,
    notify: Notify,
    should_stop: ShouldStop,
    device: torch.device,
    folder: Path | None,
    on_trained: OnTrained | None,
    precision: Precision,
    lanes: int,
    curves: bool = False,
) -> list[TrainedVariant | None]:
    """Train the variants as stacks that fit the memory; what finished before memory ran out is kept.

    Errors: KDError `out_of_memory` when one variant alone does not fit; others as in `fused.train_variants`.
    """
    results: list[TrainedVariant | None] = [None] * len(variants)
    left = list(range(len(variants)))
    most, needed = _first_size(dataset, variants, training, device, lanes)
    if most < len(variants):
        notify(
            _warning(f"{len(variants)} networks would take {needed / 1e9:.2g} GB, more than is free on {device}.", most)
        )
    while left and not should_stop():
        positions = left[:most]

        def finished(index: int, trained: TrainedVariant, at: list[int] = positions) -> None:
            results[at[index]] = trained
            if on_trained:
                on_trained(at[index], trained)

        def hear(event: dict[str, object], at: list[int] = positions) -> None:
            notify(ways.moved(event, at))

        ran_out = False
        try:
            with _one_kind_of_memory_error():
                fused.train_variants(
                    dataset,
                    [variants[p] for p in positions],
                    lessons,
                    training,
                    metric=metric,
                    notify=hear,
                    should_stop=should_stop,
                    device=device,
                    folder=folder,
                    on_trained=finished,
                    precision=precision,
                    lanes=lanes,
                    curves=curves,
                )
        except MemoryError:
            ran_out = True
        if not ran_out:
            left = left[len(positions) :]
            continue
        _let_go(device)
        if len(positions) == 1:
            raise _out_of_memory(variants[positions[0]], device)
        most = math.ceil(len(positions) / 2)
        left = [p for p in left if results[p] is None]
        notify(_warning(f"The memory of {device} ran out while {len(positions)} networks were trained at once.", most))
    return results


def probe(
    dataset: Dataset,
    variants: Sequence[Variant],
    teacher_logits: Array | None,
    training: TrainingSpec,
    *,
    metric: str | None,
    steps: int,
    device: torch.device,
    precision: Precision,
    lanes: int,
    should_stop: ShouldStop = never,
) -> float:
    """Measure the seconds of an epoch as `train_variants` would take it; what does not fit at once is scaled up.

    Errors: KDError `out_of_memory` as in `train_variants`.
    """
    most, _ = _first_size(dataset, variants, training, device, lanes)
    while True:
        with contextlib.suppress(MemoryError), _one_kind_of_memory_error():
            seconds = fused.probe(
                dataset,
                variants[:most],
                teacher_logits,
                training,
                steps=steps,
                device=device,
                precision=precision,
                lanes=lanes,
                metric=metric,
                should_stop=should_stop,
            )
            return seconds * len(variants) / most
        _let_go(device)
        if most == 1:
            raise _out_of_memory(variants[0], device)
        most = math.ceil(most / 2)


def _first_size(
    dataset: Dataset, variants: Sequence[Variant], training: TrainingSpec, device: torch.device, lanes: int
) -> tuple[int, int]:
    """Return how many variants to begin with, and the bytes that all would take."""
    # stacks are divided at STACK_BYTES anyway
    needed = min(fused.estimate_bytes(dataset, variants, training), lanes * STACK_BYTES[device.type])
    return fitting(needed, len(variants), free_bytes(device)), needed


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
