"""How many variants are trained: a short probe foresees what each way would take, the fastest is taken and told."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from kd_core.data.dataset import Array, Dataset
from kd_core.distill.stack import chunks, fused
from kd_core.distill.sweep import ways
from kd_core.distill.sweep.forecast import Forecast, Part, StopAskedError
from kd_core.distill.sweep.forecast import Wanted as Mode
from kd_core.distill.sweep.foresight import Option
from kd_core.distill.sweep.variants import OnTrained, TrainedVariant, Variant
from kd_core.distill.sweep.ways import Precision
from kd_core.errors import KDError
from kd_core.specs import TrainingSpec
from kd_core.training.loop import Notify, ShouldStop, ignore, never


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

    What can't be stacked is planned apart. `on_trained` is told each variant as it ends, in the caller's thread.
    A stop request keeps the best so far of what is in training and starts nothing more.
    Shape: teacher_logits (N, C) for the training rows.

    Errors: KDError `cannot_fuse`, `no_processes` for a mode that can't work here; those of training a student.
    """
    device = device or torch.device("cpu")
    chosen = list(variants)
    results: list[TrainedVariant | None] = [None] * len(chosen)

    def finished(position: int, trained: TrainedVariant) -> None:
        results[position] = trained
        if on_trained:
            on_trained(position, trained)

    reasons = [fused.supports(dataset, v) for v in chosen]
    _check(chosen, reasons, mode, device)
    if not chosen or should_stop():
        return results
    with contextlib.ExitStack() as stack:
        parts = _parts(reasons)
        forecast = Forecast(
            dataset, chosen, teacher_logits, training, mode, metric, notify, device, folder, should_stop
        )
        try:
            options = forecast.choose(parts, stack)
        except StopAskedError:
            return results
        notify(_event(forecast, parts, options, reasons))
        if all(o.mode != "processes" for o in options):
            stack.close()  # children that were only probed leave their memory
        shared: list[Part] = []
        for part, option in zip(parts, options, strict=True):
            if option.mode == "processes":
                shared.append(part)
                continue
            positions = part.positions
            _train(
                option,
                positions,
                dataset,
                [chosen[p] for p in positions],
                teacher_logits,
                training,
                metric=metric,
                notify=notify,
                should_stop=should_stop,
                device=device,
                folder=folder,
                on_trained=finished,
                precision=forecast.precision,
            )
        if shared and not should_stop():
            assert forecast.crew is not None
            stacked = [
                p
                for part, o in zip(parts, options, strict=True)
                if o.mode == "processes" and o.stacked
                for p in part.positions
            ]
            apart = [
                p
                for part, o in zip(parts, options, strict=True)
                if o.mode == "processes" and not o.stacked
                for p in part.positions
            ]
            forecast.crew.train(
                forecast.crew.shares(stacked, apart),
                notify=notify,
                should_stop=should_stop,
                on_trained=finished,
                precision=forecast.precision,
            )
    return results


def _check(variants: list[Variant], reasons: list[str | None], mode: Mode, device: torch.device) -> None:
    for variant, reason in zip(variants, reasons, strict=True):
        if reason and mode == "fused":
            raise KDError(
                "The student '{name}' can't be trained in a stack: {why}.",
                "Choose the mode 'auto' or 'sequential'.",
                "cannot_fuse",
                name=variant.student.name,
                why=reason,
            )
    if mode == "processes" and device.type != "cpu":
        raise KDError(
            "The mode 'processes' trains on the cores of the CPU, but the device is {device}.",
            "Choose the mode 'auto', or the device 'cpu'.",
            "no_processes",
            device=device.type,
        )


def _parts(reasons: list[str | None]) -> list[Part]:
    together = [p for p, reason in enumerate(reasons) if not reason]
    apart = [p for p, reason in enumerate(reasons) if reason]
    return [part for part in (Part(together, True), Part(apart, False)) if part.positions]


def _train(
    option: Option,
    positions: list[int],
    dataset: Dataset,
    variants: list[Variant],
    teacher_logits: Array | None,
    training: TrainingSpec,
    *,
    metric: str | None,
    notify: Notify,
    should_stop: ShouldStop,
    device: torch.device,
    folder: Path | None,
    on_trained: OnTrained,
    precision: Precision,
) -> None:
    """Train a part in this process; its positions are turned into those of the whole list."""

    def hear(event: dict[str, Any]) -> None:
        notify(ways.moved(event, positions))

    def told(index: int, trained: TrainedVariant) -> None:
        on_trained(positions[index], trained)

    if option.mode == "fused":
        chunks.train_variants(
            dataset,
            variants,
            teacher_logits,
            training,
            metric=metric,
            notify=hear,
            should_stop=should_stop,
            device=device,
            folder=folder,
            on_trained=told,
            precision=precision,
            lanes=option.lanes,
        )
    else:
        ways.train(
            "sequential",
            dataset,
            variants,
            teacher_logits,
            training,
            metric=metric,
            notify=hear,
            should_stop=should_stop,
            device=device,
            folder=folder,
            on_trained=told,
            precision=precision,
        )


def _event(forecast: Forecast, parts: list[Part], options: list[Option], reasons: list[str | None]) -> dict[str, Any]:
    """Tell what was chosen and why, with the numbers; the mode is that of the part that takes longest."""
    seconds = [part.foreseen.get(o, float(len(part.positions))) for part, o in zip(parts, options, strict=True)]
    main = options[seconds.index(max(seconds))]
    return {
        "kind": "sweep",
        "mode": main.mode,
        "why": why(forecast, parts, options, reasons),
        "probe": {mode: round(s, 3) for mode, s in _by_mode(parts).items()},
        "trainings": len(reasons),
        "precision": forecast.precision,
    }


def _by_mode(parts: list[Part]) -> dict[str, float]:
    """Return per mode the seconds foreseen for the whole: a part that can't take it takes its best."""
    measured = [{o: s for o, s in part.foreseen.items() if 0 < s < float("inf")} for part in parts]
    if not all(measured):
        return {}
    modes = dict.fromkeys(o.mode for found in measured for o in found)
    return {
        mode: sum(
            min((s for o, s in found.items() if o.mode == mode), default=min(found.values())) for found in measured
        )
        for mode in modes
    }


def why(forecast: Forecast, parts: list[Part], options: list[Option], reasons: list[str | None]) -> str:
    """Say in plain sentences what was chosen and what was foreseen."""
    said, probe, count = [], _by_mode(parts), len(reasons)
    if forecast.mode != "auto":
        said.append(f"The mode '{forecast.mode}' was asked for.")
    if probe:
        listed = ", ".join(f"{mode} {spoken(s)}" for mode, s in sorted(probe.items(), key=lambda item: item[1]))
        said.append(f"Foreseen for {count} trainings of at most {forecast.plan.epochs} epochs: {listed}.")
    elif forecast.mode == "auto":
        said.append("The work is too short for a probe; what can be stacked is stacked.")
    for part, option in zip(parts, options, strict=True):
        said.append(f"{len(part.positions)} of {count} are trained {_named(option)}.")
    if len(probe) > 1 and "processes" not in probe and forecast.cores > 1:
        said.append("Child processes were not measured: their start would cost more than they could save.")
    cant = dict.fromkeys(reason for reason in reasons if reason)
    if cant and forecast.mode == "auto":
        said.append(f"Not stacked, because {'; '.join(cant)}.")
    return " ".join(said)


def _named(option: Option) -> str:
    if option.mode == "fused":
        return f"as stacks in {option.lanes} lanes side by side" if option.lanes > 1 else "as one stack after another"
    if option.mode == "processes":
        return f"{'as stacks' if option.stacked else 'one after another'} in one process per core"
    return "one after another"


def spoken(seconds: float) -> str:
    """Write seconds as a person would: two digits below 10, none behind the point above."""
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
