"""Training many variants one after another: the plain way, and the yardstick for the others."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import math
import shutil
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from kd_core import device as devices
from kd_core.data.dataset import Array, Dataset
from kd_core.distill.student import scoring, train_student
from kd_core.distill.sweep.scoreboard import Scoreboard
from kd_core.distill.sweep.variants import Lessons, OnTrained, TrainedVariant, Variant, digest, tables
from kd_core.errors import Stopped
from kd_core.evaluate.base import better_of
from kd_core.models.building import build_for, cpu_state, viewed
from kd_core.specs import TrainingSpec
from kd_core.task import task_of
from kd_core.training.loop import Notify, ShouldStop, Trained, ignore, never
from kd_core.training.meter import NonFiniteLoss
from kd_core.training.plan import resolve
from kd_core.training.predict import predict

Precision = Literal["float32", "bfloat16"]
WARM_STEPS = 3  # the first steps of a training allocate memory


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
    precision: Precision = "float32",
    curves: bool = False,
) -> list[TrainedVariant | None]:
    """Train the variants in the order given, each with one thread of arithmetic.

    A variant whose loss stops being finite is `diverged` and does not end the others. After a stop request the one
    in training keeps its best epoch so far; a variant that finished no epoch is None in the result.
    With a `folder`, long trainings leave checkpoints there from which the same call goes on. With `curves` every epoch
    is told, instead of the best scores.
    Shape: every table of `lessons` (N, C), for the training rows.

    Errors: KDError as in `train_student`, except for non-finite losses.
    """
    name = metric or task_of(dataset.task).primary
    board = Scoreboard(ignore if curves else notify, better_of(name))
    results: list[TrainedVariant | None] = [None] * len(variants)
    known = tables(lessons)
    lesson = f"{dataset.hash}-{digest(lessons)}" if folder else ""
    with devices.threads(1):
        for position, variant in enumerate(variants):
            if should_stop():
                break
            place = folder / f"{_key(variant, training, name, precision, lesson)}.ckpt" if folder else None
            done = _train(
                dataset,
                variant,
                position,
                known.get(variant.lesson),
                training,
                name,
                board,
                notify,
                should_stop,
                device,
                place,
                precision,
                curves,
            )
            results[position] = done
            if done is not None and on_trained:
                on_trained(position, done)
            if place and done is not None and not done.stopped:
                shutil.rmtree(place, ignore_errors=True)
    board.tell()
    return results


def own_training(variant: Variant, training: TrainingSpec, precision: Precision) -> TrainingSpec:
    """Return the training settings with the variant's own step size and weight decay in them."""
    # 'auto' is float32 with TF32 on a GPU and stays; bfloat16 was asked for, and the hardware decides what it becomes
    own: dict[str, Any] = {}
    if precision == "bfloat16" or training.precision == "bfloat16":
        own["precision"] = precision
    if variant.learning_rate is not None:
        own["learning_rate"] = variant.learning_rate
    if variant.weight_decay is not None:
        own["weight_decay"] = variant.weight_decay
    return TrainingSpec.model_validate({**training.model_dump(), **own})


def probe(
    dataset: Dataset,
    variants: Sequence[Variant],
    teacher_logits: Array | None,
    training: TrainingSpec,
    *,
    metric: str | None = None,
    steps: int = 6,
    device: torch.device | None = None,
    precision: Precision = "float32",
) -> float:
    """Measure the seconds one epoch of all variants takes, validation included, on a few steps of each kind.

    Variants with one architecture and one kind of lesson cost the same, so one of them is measured.
    """
    kinds = Counter((v.student.arch.to_json(), v.objective.name if v.objective else None) for v in variants)
    total = 0.0
    with devices.threads(1):
        for (arch, objective), count in kinds.items():
            one = next(
                v
                for v in variants
                if v.student.arch.to_json() == arch and (v.objective.name if v.objective else None) == objective
            )
            total += count * _epoch_seconds(dataset, one, teacher_logits, training, metric, steps, device, precision)
    return total


def _epoch_seconds(
    dataset: Dataset,
    variant: Variant,
    teacher_logits: Array | None,
    training: TrainingSpec,
    metric: str | None,
    steps: int,
    device: torch.device | None,
    precision: Precision,
) -> float:
    # a step size that can't diverge: arithmetic takes the same time whatever the numbers are
    careful = replace(variant, learning_rate=min(1e-3, variant.learning_rate or training.learning_rate))
    times: list[float] = []
    ends: list[int] = []  # `ends` holds how many times had been taken when an epoch was judged

    def look() -> bool:
        if device is not None and device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter())
        return len(times) > WARM_STEPS + steps

    def hear(event: dict[str, Any]) -> None:
        if event["kind"] == "epoch":
            ends.append(len(times))

    module = None
    with contextlib.suppress(Stopped):
        module = train_student(
            dataset,
            careful.student,
            careful.objective,
            teacher_logits if careful.objective else None,
            own_training(careful, training, precision),
            careful.seed,
            notify=hear,
            should_stop=look,
            device=device,
            selection_metric=metric,
        ).module
    spans = [(b - a, i + 1 in ends) for i, (a, b) in enumerate(itertools.pairwise(times))]
    warm = spans[WARM_STEPS:] or spans
    plain, judged = ([s for s, with_end in warm if with_end is wanted] for wanted in (False, True))
    num_steps = resolve(training, len(dataset.train)).steps_per_epoch(len(dataset.train))
    if not plain:  # every epoch is one step
        return min(judged) * num_steps
    step = statistics.median(plain)
    if judged:
        return num_steps * step + max(0.0, min(judged) - step)
    return num_steps * step + _judging_seconds(dataset, variant, module, metric, device)


def _judging_seconds(
    dataset: Dataset, variant: Variant, module: nn.Module | None, metric: str | None, device: torch.device | None
) -> float:
    module = module or build_for(dataset, variant.student.arch)
    score = scoring(dataset, metric)
    start = time.perf_counter()
    score(predict(module, viewed(dataset, variant.student.arch).parts["validation"], device))
    return time.perf_counter() - start


def _train(
    dataset: Dataset,
    variant: Variant,
    position: int,
    teacher_logits: Array | None,
    training: TrainingSpec,
    metric: str,
    board: Scoreboard,
    notify: Notify,
    should_stop: ShouldStop,
    device: torch.device | None,
    checkpoint: Path | None,
    precision: Precision,
    curves: bool,
) -> TrainedVariant | None:
    def hear(event: dict[str, Any]) -> None:
        if event["kind"] == "epoch":
            board.take(position, event["score"], event["epoch"], event["epochs"])
        if curves or event["kind"] != "epoch":
            notify({**event, "training": position})

    try:
        taught = variant.objective is not None
        result = train_student(
            dataset,
            variant.student,
            variant.objective,
            teacher_logits if taught else None,
            own_training(variant, training, precision),
            variant.seed,
            notify=hear,
            should_stop=should_stop,
            checkpoint=checkpoint,
            device=device,
            selection_metric=metric,
        )
    except Stopped:
        return None
    except NonFiniteLoss as error:
        if isinstance(error.kept, Trained):
            return _finished(variant, error.kept, diverged=error.message)
        return TrainedVariant(variant, {}, 0, 0, math.nan, math.nan, 0.0, diverged=error.message)
    return _finished(variant, result.trained)


def _finished(variant: Variant, trained: Trained, diverged: str | None = None) -> TrainedVariant:
    return TrainedVariant(
        variant,
        cpu_state(trained.module),
        trained.selected_epoch,
        trained.last_epoch,
        trained.score_selected,
        trained.score_last,
        trained.seconds,
        trained.stopped,
        diverged,
        trained.history,
    )


def _key(variant: Variant, training: TrainingSpec, metric: str, precision: Precision, lesson: str) -> str:
    """Name a checkpoint by all that decides it: positions move when a resumed sweep asks for the rest only."""
    decides = [
        variant.student.arch.to_json(),
        [variant.objective.to_json(), variant.lesson] if variant.objective else None,
        variant.seed,
        own_training(variant, training, precision).to_json(),
        metric,
        lesson,
    ]
    return hashlib.sha256(json.dumps(decides).encode()).hexdigest()[:16]
