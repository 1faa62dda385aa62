"""Many variants trained as one program: stacked parameters, one batched product per layer.

Networks of one family are put into stacks. Inside a stack each has its own temperature, alpha, step size, weight
decay, dropout, width and seed, stops for itself and is judged for itself; the numbers are those of separate training.

Example:
    >>> from kd_core.distill.sweep.variants import Variant
    >>> from kd_core.specs import Choice, StudentSpec, TrainingSpec
    >>> student = StudentSpec(name="small", arch=Choice(name="mlp"))
    >>> variants = [Variant(student, Choice(name="hinton", settings={"temperature": t}), seed=0) for t in (1, 2, 4)]
    >>> # trained = train(SweepWork.of(dataset, variants, teacher_logits, TrainingSpec()), Hooks())
"""

from __future__ import annotations

import contextlib
from typing import Any

from kd_core.distill.stack.stackable import supports as supports
from kd_core.distill.stack.stacking import Stacking, Task, step_flops
from kd_core.distill.sweep.scoreboard import Scoreboard
from kd_core.distill.sweep.variants import TrainedVariant
from kd_core.distill.sweep.work import Hooks, SweepWork
from kd_core.training.checkpoint import Checkpoints
from kd_core.training.lanes import Lanes, lanes_of
from kd_core.training.loop import ShouldStop, ignore

# Operations of a step that a lane needs: smaller ones wait for Python's lock after every product (docs/LAB.md, lanes).
LANE_WORK = 1.6e7


def lanes_for(work: SweepWork) -> int:
    """Say how many stacks to train side by side: as many as have enough work, at most `lanes_of`.

    A rule, not a measurement, so that the same work is always divided alike.
    """
    flops = sum(step_flops(work.dataset, work.variants.values(), work.training))
    return max(1, min(lanes_of(work.device), int(flops / LANE_WORK)))


def train(work: SweepWork, hooks: Hooks, lanes: int | None = None) -> dict[int, TrainedVariant]:
    """Train every variant, `lanes` stacks side by side; one that finished no epoch is missing in the result.

    A stop request ends all at the next batch and keeps the best so far. As many lanes as have enough work when empty.

    Errors: KDError `cannot_fuse`, `no_rows`, `undefined_selection`; SpecError as in `objective.make`.
    """
    side_by_side = lanes or lanes_for(work)
    stacking = Stacking(work)
    board = Scoreboard(ignore if work.curves else hooks.notify, stacking.better)
    found: dict[int, TrainedVariant] = {}

    def do(task: Task, tell: Any, stopped: ShouldStop) -> None:
        stack = stacking.open(task)
        task.clear(all_of_it=False)
        kept = Checkpoints(task.place, stacking.fingerprint) if task.place else None
        with contextlib.closing(stack.rows):
            for ended in stack.run(stopped, kept):
                judged = [m for m in stack.members if m.history and m.history[-1]["epoch"] == stack.epoch]
                now = [(m.position, m.history[-1]) for m in judged]
                done = [(stack.members[row].position, stacking.result(stack, row)) for row in ended]
                tell((stack.plan.planned_end(stack.epoch), now, done))
        if not stopped():
            task.clear(all_of_it=True)

    tasks = stacking.tasks(work.folder, hooks.notify, side_by_side)
    with contextlib.closing(Lanes(do, tasks, side_by_side).run(hooks.should_stop)) as told:
        for epochs, now, done in told:
            for number, row in now:
                board.take(number, row["score"], row["epoch"], epochs)
                if work.curves:
                    hooks.notify({"kind": "epoch", "training": number, "epochs": epochs, **row})
            for number, result in done:
                if result is not None:
                    found[number] = result
                    hooks.on_trained(number, result)
    board.tell()
    return found


def estimate_bytes(work: SweepWork) -> int:
    """Estimate the memory that the largest group of these variants would take on the device, were it not divided."""
    stacking = Stacking(work, check=False)
    return max((sum(stacking.bytes(p) for p in group) for group in stacking.groups(work.variants)), default=0)
