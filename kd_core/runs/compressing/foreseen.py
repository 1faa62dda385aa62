"""How long making a student smaller will take, before it is started."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from kd_core.compress.base import learns
from kd_core.runs import estimate
from kd_core.runs.compressing.searching import AGAIN
from kd_core.runs.compressing.tree import Tree, tree_of
from kd_core.runs.cost.seconds import epoch_seconds
from kd_core.runs.estimate import Circumstances, Estimate, Inputs, Work
from kd_core.specs import RunSpec
from kd_core.training.plan import TrainingPlan, resolve

STAGES = "compress:stages"  # as `pace` counts it; what it learned under an older name was of another estimate

# Measured on samples and two public sets, see docs/LAB.md, 2026-11-28
STEP_SECONDS = 0.05  # of a stage and seed that does not learn: written, opened, answered
TIMED_SECONDS = 1.5  # of a stage: five batches, eight rounds
USUAL_SHARE = 0.5  # of the epochs of a round, where a step does not say
LASTING = 0.5  # power of how busy the last minute was: the run that was just made, and other bursts, are over before this one is
FIRST_EPOCHS = 4  # of learning again, before patience begins to run out: it begins near its best


def foresee(
    spec: RunSpec, num_rows: int, inputs: Inputs, num_outputs: int, around: Circumstances, *, asks: bool
) -> Estimate:
    """Estimate seconds and memory. A search takes the minutes that it is given, and then its chain for every seed. `asks`: the teacher is needed."""
    assert spec.compress is not None
    around = replace(around, busy=around.busy**LASTING)
    plain = spec.model_copy(update={"compress": None})
    ordinary = estimate.foresee(plain, num_rows, inputs, num_outputs, around)
    rows = around.train_rows or estimate.training_rows(spec.dataset, num_rows)
    arch, gpu = spec.students[0].arch.name, ordinary.places.students == "cuda"
    (size,) = estimate.student_sizes(spec.students[:1], inputs, num_outputs)
    epoch = (1 + asks) * epoch_seconds(plain.training, arch, rows, size, gpu)  # with and without the teacher
    lesson = Lesson(resolve(plain.training, rows, arch), epoch)
    seeds = spec.training.seeds_at_first
    works = [w for w in ordinary.works if w.kind.startswith("data") or (asks and w.kind.startswith("teacher"))]
    if spec.compress.chains:
        tree = tree_of(spec.compress.chains)
        found = around.busy * seconds(tree, seeds, lesson, spec.evaluation.latency)
        works.append(Work(STAGES, found, found * around.pace.factor(STAGES)))
    else:
        limit = 60 * spec.compress.minutes
        after = around.busy * seeds * (2 * STEP_SECONDS + lesson.seconds(USUAL_SHARE, ends=True))
        works.append(Work("compress:searched", limit + after, limit + after))
    ended = estimate.EVALUATE_SECONDS * around.busy
    works.append(Work("evaluate:compress", ended, ended * around.pace.factor("evaluate:compress")))
    return replace(ordinary, trainings=0, works=tuple(works), tried=0)


def plan_fields(spec: RunSpec) -> dict[str, Any]:
    """Return what the `plan` event says of it as well: how many stages, or how long chains are searched."""
    assert spec.compress is not None
    if spec.compress.chains:
        return {"stages": len(tree_of(spec.compress.chains).nodes) - 1}
    return {"minutes": spec.compress.minutes}


@dataclass(frozen=True)
class Lesson:
    """How a student learns again: by the plan of its own training, an epoch of which takes so many seconds, its twin without a teacher included."""

    plan: TrainingPlan
    epoch_seconds: float

    def seconds(self, share: float, *, ends: bool) -> float:
        """Foresee so large a share of a round, one training after another. `ends`: it stops when it gains no more, as a schedule that is under way does not."""
        planned = max(1, math.ceil(share * self.plan.epochs))
        return self.epoch_seconds * (min(planned, FIRST_EPOCHS + self.plan.patience) if ends else planned)


def seconds(tree: Tree, seeds: int, lesson: Lesson, timed: bool) -> float:
    """Foresee the seconds of a tree's stages for so many seeds."""
    found = 0.0
    for node in tree.nodes[1:]:
        assert node.step is not None
        found += seeds * STEP_SECONDS
        if learns(node.step):
            share = float(node.step.settings.get("epochs", USUAL_SHARE))
            found += seeds * lesson.seconds(share, ends=node.step.name == AGAIN)
    return found + TIMED_SECONDS * len(tree.nodes) * timed
