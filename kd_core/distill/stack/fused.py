"""Many variants trained as one program: stacked parameters, one batched product per layer.

Networks of one family are put into stacks. Inside a stack each has its own temperature, alpha, step size, weight
decay, dropout, width and seed, stops for itself and is judged for itself; the numbers are those of separate training.

Example:
    >>> from kd_core.specs import Choice, StudentSpec, TrainingSpec
    >>> student = StudentSpec(name="small", arch=Choice(name="mlp"))
    >>> variants = [Variant(student, Choice(name="hinton", settings={"temperature": t}), seed=0) for t in (1, 2, 4)]
    >>> # trained = train_variants(dataset, variants, teacher_logits, TrainingSpec())
"""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import torch

from kd_core.data.dataset import Array, Dataset
from kd_core.device import cores
from kd_core.distill.stack.lanes import Lanes
from kd_core.distill.stack.stacking import Precision as Precision
from kd_core.distill.stack.stacking import Stacking, Task, step_flops
from kd_core.distill.stack.stacking import supports as supports
from kd_core.distill.sweep.scoreboard import Scoreboard
from kd_core.distill.sweep.variants import Lessons, OnTrained, TrainedVariant, Variant
from kd_core.specs import TrainingSpec
from kd_core.training.checkpoint import Checkpoints
from kd_core.training.loop import Notify, ShouldStop, ignore, never

MOST_LANES = 4  # beyond this, Python's lock is what threads wait for
# Operations of a step that a lane needs: smaller ones wait for Python's lock after every product (docs/LAB.md, lanes).
LANE_WORK = 1.6e7
OPENING_SECONDS = 60.0  # lanes of a probe wait this long for each other


def lanes_of(device: torch.device | None) -> int:
    """Say how many stacks are trained side by side at most: one per core of the CPU, one on a GPU."""
    return 1 if device is not None and device.type == "cuda" else min(MOST_LANES, cores())


def lanes_for(
    dataset: Dataset, variants: Sequence[Variant], training: TrainingSpec, device: torch.device | None = None
) -> int:
    """Say how many stacks to train side by side: as many as have enough work, at most `lanes_of`.

    A rule, not a measurement, so that the same work is always divided alike.
    """
    work = sum(step_flops(dataset, variants, training))
    return max(1, min(lanes_of(device), int(work / LANE_WORK)))


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
    lanes: int | None = None,
    curves: bool = False,
) -> list[TrainedVariant | None]:
    """Train every variant and return the results in the order asked; None for one that finished no epoch.

    `on_trained` is told each variant as it ends. A stop request ends all at the next batch and keeps the best so far.
    With a `folder`, long trainings leave checkpoints there from which the same call goes on. `lanes` stacks are
    trained side by side, each with one thread of arithmetic; as many as have enough work when empty. With `curves`
    every network's epochs are told one by one, with their losses, instead of the best scores.
    Shape: every table of `lessons` (N, C), for the training rows.

    Errors: KDError `cannot_fuse`, `no_rows`, `undefined_selection`; SpecError as in `objective.make`.
    """
    device = device or torch.device("cpu")
    work = Stacking(dataset, variants, lessons, training, metric, precision, device, curves=curves)
    board = Scoreboard(ignore if curves else notify, work.better)
    results: list[TrainedVariant | None] = [None] * len(variants)
    side_by_side = lanes or lanes_for(dataset, variants, training, device)

    def train(task: Task, tell: Any, stopped: ShouldStop) -> None:
        with work.opening:  # start weights are drawn from torch's one global stream
            stack = work.open(task)
        task.clear(all_of_it=False)
        kept = Checkpoints(task.place, work.fingerprint) if task.place else None
        with contextlib.closing(stack.rows):
            for ended in stack.run(stopped, kept):
                judged = [m for m in stack.members if m.history and m.history[-1]["epoch"] == stack.epoch]
                now = [(m.position, m.history[-1]) for m in judged]
                done = [(stack.members[row].position, work.result(stack, row)) for row in ended]
                tell((stack.plan.epochs, now, done))
        if not stopped():
            task.clear(all_of_it=True)

    tasks = work.tasks(folder, notify, side_by_side)
    with contextlib.closing(Lanes(train, tasks, side_by_side).run(should_stop)) as told:
        for epochs, now, done in told:
            for position, row in now:
                board.take(position, row["score"], row["epoch"], epochs)
                if curves:
                    notify({"kind": "epoch", "training": position, "epochs": epochs, **row})
            for position, result in done:
                results[position] = result
                if result is not None and on_trained:
                    on_trained(position, result)
    board.tell()
    return results


def probe(
    dataset: Dataset,
    variants: Sequence[Variant],
    teacher_logits: Array | None,
    training: TrainingSpec,
    *,
    steps: int = 12,
    device: torch.device | None = None,
    precision: Precision = "float32",
    lanes: int | None = None,
    metric: str | None = None,
    should_stop: ShouldStop = never,
) -> float:
    """Measure a few steps and a validation pass of every kind of stack, side by side as in training.

    Stacks of one family, width and size take the same time, so one per lane is measured. After a stop request
    the answer is worthless.
    Units: the seconds an epoch of all variants would take.
    """
    work = Stacking(dataset, variants, teacher_logits, training, metric, precision, device or torch.device("cpu"))
    side_by_side = lanes or lanes_for(dataset, variants, training, device)
    kinds: dict[Hashable, list[Task]] = defaultdict(list)
    for task in work.tasks(None, ignore, side_by_side):
        kinds[work.kind(task)].append(task)
    chosen = [
        (task, len(alike) / len(alike[:side_by_side])) for alike in kinds.values() for task in alike[:side_by_side]
    ]
    seconds: list[float] = []
    first = [task for task, _ in chosen[:side_by_side]]
    together = threading.Barrier(max(1, len(first)))

    def measure(item: tuple[Task, float], tell: Any, stopped: ShouldStop) -> None:
        task, stands_for = item
        try:
            with work.opening:
                stack = work.open(task)
        except BaseException:
            together.abort()
            raise
        if any(task is other for other in first):  # steps that were taken while no other lane was would flatter
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait(OPENING_SECONDS)
        tell(stands_for * stack.measure(steps))

    for found in Lanes(measure, chosen, side_by_side).run(should_stop):
        seconds.append(found)
    return sum(seconds) / min(side_by_side, max(1, len(chosen)))


def estimate_bytes(dataset: Dataset, variants: Sequence[Variant], training: TrainingSpec) -> int:
    """Estimate the memory that the largest group of these variants would take on the device, were it not divided."""
    work = Stacking(dataset, variants, None, training, None, "float32", torch.device("cpu"), check=False)
    return max((sum(work.bytes(p) for p in group) for group in work.groups(range(len(variants)))), default=0)
