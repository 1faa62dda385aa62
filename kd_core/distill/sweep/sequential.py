"""Training variants one by one: the plain way, the yardstick for stacks, and the only one for some networks."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import shutil
import statistics
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from kd_core.data.dataset import Array
from kd_core.distill.inner.hints import Hints
from kd_core.distill.inner.live import LiveTeacher
from kd_core.distill.meeting import MEMBER, MODES, NETWORK, Lesson, Met, Way
from kd_core.distill.placebo import PLACEBO
from kd_core.distill.stack.stacking import step_flops
from kd_core.distill.student import train_student
from kd_core.distill.sweep.scoreboard import Scoreboard
from kd_core.distill.sweep.variants import TrainedVariant, Variant, digest, digest_of, tables
from kd_core.distill.sweep.work import Hooks, SweepWork
from kd_core.distill.terms import hears_live
from kd_core.errors import Stopped
from kd_core.evaluate.base import better_of
from kd_core.models.building import cpu_state
from kd_core.seeding import derive
from kd_core.specs import TrainingSpec
from kd_core.training.lanes import Lanes, lanes_of
from kd_core.training.loop import ShouldStop, Trained, ignore
from kd_core.training.meter import NonFiniteLoss

# Operations of one network's step from which a second lane pays; smaller ones wait for Python's lock (docs/LAB.md, lanes
# for networks that can't be stacked).
LANE_WORK = 2.5e6

Tell = Callable[[Any], None]


def lanes_for(work: SweepWork) -> int:
    """Say how many networks to train side by side: one per core where a step has enough work, else one."""
    flops = step_flops(work.dataset, work.variants.values(), work.training)
    enough = bool(flops) and statistics.median(flops) >= LANE_WORK
    return min(lanes_of(work.device), len(flops)) if enough else 1


def train(work: SweepWork, hooks: Hooks, lanes: int = 1) -> dict[int, TrainedVariant]:
    """Train the variants in order, `lanes` at a time, each with one thread of arithmetic.

    A variant whose loss stops being finite is `diverged` and does not end the others. After a stop request those
    in training keep their best epoch so far; a variant that finished no epoch is missing in the result.

    Errors: KDError as in `train_student`, except for non-finite losses.
    """
    board = Scoreboard(ignore if work.curves else hooks.notify, better_of(work.metric))
    lesson = f"{work.dataset.hash}-{digest(work.lessons)}" if work.folder else ""
    found: dict[int, TrainedVariant] = {}

    def do(number: int, tell: Tell, stopped: ShouldStop) -> None:
        place = _place(work, number, lesson)
        done = _train(work, number, tell, stopped, place)
        if done is not None:
            tell((number, done))
            if place and not done.stopped:
                for own in place.parent.glob(f"{place.stem}.*"):  # and those of what learned for its sake
                    shutil.rmtree(own, ignore_errors=True)

    with contextlib.closing(Lanes(do, list(work.variants), lanes).run(hooks.should_stop)) as told:
        for number, what in told:
            if isinstance(what, TrainedVariant):
                found[number] = what
                hooks.on_trained(number, what)
                continue
            if what["kind"] == "epoch" and "helper" not in what:
                board.take(number, what["score"], what["epoch"], what["epochs"])
            if work.curves or what["kind"] != "epoch":
                hooks.notify({**what, "training": number})
    board.tell()
    return found


def own_training(work: SweepWork, variant: Variant) -> TrainingSpec:
    """Return the training settings with the variant's own step size and weight decay in them."""
    # 'auto' is float32 with TF32 on a GPU and stays; bfloat16 was asked for, and the hardware decides what it becomes
    own: dict[str, Any] = {}
    if "bfloat16" in (work.precision, work.training.precision):
        own["precision"] = work.precision
    if variant.learning_rate is not None:
        own["learning_rate"] = variant.learning_rate
    if variant.weight_decay is not None:
        own["weight_decay"] = variant.weight_decay
    return TrainingSpec.model_validate({**work.training.model_dump(), **own})


def _train(
    work: SweepWork, number: int, tell: Tell, should_stop: ShouldStop, checkpoint: Path | None
) -> TrainedVariant | None:
    variant = work.variants[number]
    way = Way(variant.seed, lambda event: tell((number, event)), should_stop, checkpoint, work.device, work.metric)
    try:
        met = _meet(work, variant, way, work.starts.get(number))
    except Stopped:
        return None
    except NonFiniteLoss as error:
        if isinstance(error.kept, Trained):
            return _finished(variant, error.kept, diverged=error.message)
        return TrainedVariant(variant, {}, 0, 0, math.nan, math.nan, 0.0, diverged=error.message)
    return replace(_finished(variant, met.student.trained), helpers=[h.told() for h in met.helpers])


def _meet(work: SweepWork, variant: Variant, way: Way, start: Mapping[str, Tensor] | None) -> Met:
    """Train a variant by its mode, or on stored answers, or alone."""
    lessons, training = tables(work.lessons), own_training(work, variant)
    if variant.mode is not None:
        assert variant.objective is not None
        entry = MODES.get(variant.mode.name)
        told, made = lessons[variant.lesson], work.made_lesson(variant)
        weights = _network(lessons)
        about = variant.student, variant.objective, told, training, work.teacher
        hints = _hints(work, variant, lessons) if entry.facts.get("inside") else None
        alone = {n.removeprefix(MEMBER): t for n, t in lessons.items() if n.startswith(MEMBER)}
        lesson = Lesson(work.dataset, *about, made=made, weights=weights, hints=hints, members=alone)
        return entry.make(entry.spec.parse(variant.mode.settings, f"mode {entry.name}"), lesson, way)
    taught = variant.objective is not None
    return Met(
        train_student(
            work.dataset,
            variant.student,
            variant.objective,
            lessons.get(variant.lesson) if taught else None,
            training,
            variant.seed,
            notify=way.notify,
            should_stop=way.should_stop,
            checkpoint=way.checkpoint,
            device=work.device,
            selection_metric=work.metric,
            hints=_hints(work, variant, lessons) if taught else None,
            made=work.made_lesson(variant),
            going_on=start,
        )
    )


def _hints(work: SweepWork, variant: Variant, lessons: Mapping[str, Array]) -> Hints | None:
    """Pick what the teacher thinks inside, or its network itself; as a placebo, each row gets another's."""
    found = Hints.of(lessons)
    if variant.objective is not None and work.teacher is not None and hears_live(variant.objective):
        live = LiveTeacher.of(work.teacher, work.dataset, _network(lessons))
        found = replace(found or Hints(), live=live)
    return found if found is None or variant.lesson != PLACEBO else found.shuffled(derive(variant.seed, PLACEBO))


def _network(lessons: Mapping[str, Array]) -> dict[str, Array]:
    """Pick the weights of the teacher's network, by name."""
    return {n.removeprefix(NETWORK): t for n, t in lessons.items() if n.startswith(NETWORK)}


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


def _place(work: SweepWork, number: int, lesson: str) -> Path | None:
    """Name a checkpoint by all that decides it, so that no other work goes on from it."""
    if work.folder is None:
        return None
    variant, start = work.variants[number], work.starts.get(number)
    decides = [
        variant.student.arch.to_json(),
        [variant.objective.to_json(), variant.lesson] if variant.objective else None,
        variant.seed,
        own_training(work, variant).to_json(),
        work.metric,
        lesson,
        *([variant.made_rows] if variant.made_rows else []),
        *([variant.mode.to_json(), work.teacher.to_json()] if variant.mode and work.teacher else []),
        *([digest_of(start)] if start is not None else []),
    ]
    return work.folder / f"{hashlib.sha256(json.dumps(decides).encode()).hexdigest()[:16]}.ckpt"
