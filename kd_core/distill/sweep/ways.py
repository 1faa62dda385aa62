"""The ways one process can train a list of variants, by name; positions of a part mapped to those of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch

from kd_core import device as devices
from kd_core.data.dataset import Array, Dataset
from kd_core.distill.stack import fused
from kd_core.distill.sweep import sequential
from kd_core.distill.sweep.variants import Lessons, OnTrained, TrainedVariant, Variant
from kd_core.specs import TrainingSpec
from kd_core.training.loop import Notify, ShouldStop

Way = Literal["fused", "sequential"]
Precision = sequential.Precision


def train(
    way: Way,
    dataset: Dataset,
    variants: Sequence[Variant],
    lessons: Lessons,
    training: TrainingSpec,
    *,
    metric: str | None,
    notify: Notify,
    should_stop: ShouldStop,
    device: torch.device | None,
    folder: Path | None,
    on_trained: OnTrained | None,
    precision: Precision,
    lanes: int | None = None,
) -> list[TrainedVariant | None]:
    """Train the variants in the named way. `lanes` is for stacks. Errors: as that way's."""
    if way == "fused":
        return fused.train_variants(
            dataset,
            variants,
            lessons,
            training,
            metric=metric,
            notify=notify,
            should_stop=should_stop,
            device=device,
            folder=folder,
            on_trained=on_trained,
            precision=precision,
            lanes=lanes,
        )
    return sequential.train_variants(
        dataset,
        variants,
        lessons,
        training,
        metric=metric,
        notify=notify,
        should_stop=should_stop,
        device=device,
        folder=folder,
        on_trained=on_trained,
        precision=precision,
    )


def probe(
    way: Way,
    dataset: Dataset,
    variants: Sequence[Variant],
    teacher_logits: Array | None,
    training: TrainingSpec,
    *,
    metric: str | None,
    steps: int,
    device: torch.device | None,
    precision: Precision,
    lanes: int | None = None,
) -> float:
    """Measure the seconds one epoch of the whole list takes in the named way."""
    if way == "fused":
        return fused.probe(
            dataset,
            variants,
            teacher_logits,
            training,
            steps=steps,
            device=device,
            precision=precision,
            lanes=lanes,
            metric=metric,
        )
    return sequential.probe(
        dataset, variants, teacher_logits, training, metric=metric, steps=steps, device=device, precision=precision
    )


def number_format(training: TrainingSpec, device: torch.device, notify: Notify) -> Precision:
    """Decide the number format by rule, never by a probe: the same spec has to give the same numbers."""
    if training.precision != "bfloat16":
        return "float32"
    if devices.has_bfloat16(device.type):
        return "bfloat16"
    notify(
        {
            "kind": "warning",
            "code": "no_bfloat16",
            "message": f"bfloat16 was asked for, but this {device.type} has no arithmetic for it; float32 is used.",
            "hint": "Choose the precision 'auto' or 'float32'.",
        }
    )
    return "float32"


def moved(event: dict[str, Any], positions: Sequence[int]) -> dict[str, Any]:
    """Return an event of a part with the positions of the whole list: `positions[i]` is where the part's i-th is."""
    if event["kind"] == "scores":
        return {**event, "best": {str(positions[int(i)]): score for i, score in event["best"].items()}}
    if event.get("training") is not None:
        return {**event, "training": positions[event["training"]]}
    return event
