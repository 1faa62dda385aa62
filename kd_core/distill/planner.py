"""How many variants are trained: chosen by a short probe, said in the events."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch

from kd_core.data.dataset import Array, Dataset
from kd_core.distill import sequential
from kd_core.distill.variants import OnTrained, TrainedVariant, Variant
from kd_core.specs import TrainingSpec
from kd_core.training.loop import Notify, ShouldStop, ignore, never

Mode = Literal["auto", "fused", "sequential", "processes"]


def train_variants(
    dataset: Dataset,
    variants: Sequence[Variant],
    teacher_logits: Array | None,
    training: TrainingSpec,
    *,
    mode: Mode = "auto",
    metric: str | None = None,
    notify: Notify = ignore,
    should_stop: ShouldStop = never,
    device: torch.device | None = None,
    folder: Path | None = None,
    on_trained: OnTrained | None = None,
) -> list[TrainedVariant | None]:
    """Train every variant and return the results in the order asked; None for one that finished no epoch.

    Shape: teacher_logits (N, C) for the training rows.
    """
    why = "The trainings are carried out one after another."
    notify({
        "kind": "sweep", "mode": "sequential", "why": why, "probe": {}, "trainings": len(variants),
        "precision": "float32",
    })  # fmt: skip
    return sequential.train_variants(
        dataset, variants, teacher_logits, training, metric=metric, notify=notify, should_stop=should_stop,
        device=device, folder=folder, on_trained=on_trained,
    )  # fmt: skip
