"""Variants trained by rule: what can be stacked as stacks, the rest one after another, told epoch by epoch.

No probe decides, so the same work is always done alike and gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from kd_core.data.dataset import Dataset
from kd_core.distill.stack import chunks, fused
from kd_core.distill.sweep import sequential, ways
from kd_core.distill.sweep.variants import Lessons, OnTrained, TrainedVariant, Variant
from kd_core.specs import TrainingSpec
from kd_core.training.loop import Notify, ShouldStop, ignore, never


def train_variants(
    dataset: Dataset,
    variants: Sequence[Variant],
    lessons: Lessons,
    training: TrainingSpec,
    *,
    metric: str | None = None,
    notify: Notify = ignore,
    should_stop: ShouldStop = never,
    device: torch.device | None = None,
    folder: Path | None = None,
    on_trained: OnTrained | None = None,
) -> list[TrainedVariant | None]:
    """Train every variant and return the results in the order asked; None for one that finished no epoch.

    Every epoch of every variant is told as an `epoch` event with the variant's position as `training`. A stop request
    keeps the best so far of what is in training and starts nothing more.
    Shape: every table of `lessons` (N, C), for the training rows.

    Errors: those of `fused.train_variants` and `sequential.train_variants`.
    """
    device = device or torch.device("cpu")
    results: list[TrainedVariant | None] = [None] * len(variants)
    precision = ways.number_format(training, device, notify)
    reasons = [fused.supports(dataset, v) for v in variants]
    for stacked in (True, False):
        positions = [p for p, why_not in enumerate(reasons) if (why_not is None) is stacked]
        if not positions or should_stop():
            continue
        chosen = [variants[p] for p in positions]

        def hear(event: dict[str, Any], at: list[int] = positions) -> None:
            notify(ways.moved(event, at))

        def finished(index: int, trained: TrainedVariant, at: list[int] = positions) -> None:
            results[at[index]] = trained
            if on_trained:
                on_trained(at[index], trained)

        if stacked:
            lanes = fused.lanes_for(dataset, chosen, training, device)
            chunks.train_variants(
                dataset,
                chosen,
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
                curves=True,
            )
        else:
            sequential.train_variants(
                dataset,
                chosen,
                lessons,
                training,
                metric=metric,
                notify=hear,
                should_stop=should_stop,
                device=device,
                folder=folder,
                on_trained=finished,
                precision=precision,
                curves=True,
            )
    return results
