"""A student that was made smaller learns again: from the same labels and the same answers of the teacher as before, or from labels alone."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from torch import nn

from kd_core.compress.base import Stage, Work
from kd_core.data.dataset import Array
from kd_core.distill import objective as objectives
from kd_core.distill.inner.live import show
from kd_core.distill.student import scoring
from kd_core.errors import SpecError, Stopped
from kd_core.models import by_rounds
from kd_core.seeding import derive
from kd_core.training.loop import Begin, TrainRows, optimise
from kd_core.training.plan import TrainingPlan, resolve
from kd_core.training.scoring import Scoring

Keep = Callable[[nn.Module], None]  # puts right in place what a step of the optimiser changed: masks, ranges
_BEHIND = 1e6  # times a score: no epoch that counts is this much worse


def learn(
    module: nn.Module,
    stage: Stage,
    work: Work,
    *,
    share: float = 0.5,
    rate: float = 0.5,
    keep: Keep | None = None,
    begin: Begin | None = None,
    counted_from: int = 1,
    name: str = "learn",
) -> nn.Module:
    """Train a copy of a network from its present weights and return it at its best epoch on validation rows, in evaluation mode.

    `stage`: the one that the step was given; `share` of the epochs of a round of the student's own training, with `rate` times its
    step size. `keep` is called with the network before it answers anything, so after every step of the optimiser and before it is judged or kept.
    `begin` hears of each epoch, from 1, and how many are planned; epochs before `counted_from` are not taken however good they are (a
    schedule that is under way). `name`: of this training, where a step has several.
    Errors: SpecError `compress_rounds` for trees; Stopped when asked to stop; as `optimise`.
    """
    if why := why_not(stage):
        raise SpecError(
            "The student can't learn again: it {why}.", "Leave the steps that learn out.", "compress_rounds", why=why
        )
    data, module = work.dataset, copy.deepcopy(module)
    labels, groups = data.scaled_y("train"), data.dealt_by()
    weights = objectives.weights_for(data, work.training)
    loss = objectives.make(data.task, work.objective, labels, work.answers, weights, None, groups)
    seed, rows = derive(work.seed, "compress", len(stage.told), name), work.rows(stage)
    loss.own(module, rows.spec, seed)
    plan = planned(work, stage, share, rate)
    plan = replace(plan, patience=plan.patience + counted_from - 1)
    score = _Counted(scoring(data, work.metric), counted_from)

    def begins(epoch: int, epochs: int) -> None:
        score.epoch = epoch
        loss.begin(epoch, epochs)
        if begin is not None:
            begin(epoch, epochs)

    def tell(event: dict[str, Any]) -> None:
        work.notify({**event, "score": event["metrics"][work.metric]} if event["kind"] == "epoch" else event)

    hook = None if keep is None else module.register_forward_pre_hook(lambda network, _: keep(network))
    try:
        found = optimise(
            module,
            TrainRows.of(rows),
            loss,
            score,
            plan,
            seed,
            notify=tell,
            should_stop=work.should_stop,
            checkpoint=None if work.checkpoint is None else work.checkpoint / name,
            device=work.device,
            beside=loss.module,
            groups=groups,
            begin=begins,
            close=loss.close,
        )
    finally:
        if hook is not None:
            hook.remove()
    if found.stopped:  # half a lesson is not kept: a resumed run goes on with it
        raise Stopped("Stopped while a student was learning again.")
    show(found.module)  # nothing more of its inside: that was for the loss
    return found.module.cpu().eval()


def why_not(stage: Stage) -> str | None:
    """Say why a student can't learn on, None where it can."""
    if stage.file is not None:
        return "has a file that a step changed already, and a file learns no more"
    if by_rounds(stage.arch.name):
        return "is made of trees, which are grown once"
    return None


def planned(work: Work, stage: Stage, share: float, rate: float = 1.0) -> TrainingPlan:
    """Say how a student learns again: one round, shorter than its own, so that every arm has the same budget."""
    own = resolve(work.training, len(work.dataset.train), stage.arch.name)
    epochs = max(1, math.ceil(own.epochs * share))
    return replace(own, epochs=epochs, rounds=1, learning_rate=own.learning_rate * rate)


@dataclass
class _Counted:
    """A score of which the first epochs do not count: they stand behind all others, in the order that they have."""

    score: Scoring
    first: int
    epoch: int = 1

    @property
    def metric(self) -> str:
        return self.score.metric

    @property
    def better(self) -> Literal["higher", "lower"]:
        return self.score.better

    def __call__(self, z: Array) -> dict[str, float | None]:
        return self.score(z)

    def loss(self, metrics: dict[str, float | None]) -> float | None:
        return self.score.loss(metrics)

    def selection(self, metrics: dict[str, float | None]) -> float:
        value = self.score.selection(metrics)
        if self.epoch >= self.first:
            return value
        behind = _BEHIND * max(1.0, abs(value))
        return value - behind if self.better == "higher" else value + behind
