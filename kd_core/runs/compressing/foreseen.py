"""How long making a student smaller will take, before it is started."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kd_core.compress.base import learns
from kd_core.runs import estimate
from kd_core.runs.compressing.tree import Tree, tree_of
from kd_core.runs.estimate import Circumstances, Estimate, Inputs, Work
from kd_core.specs import RunSpec

STEP_SECONDS = 0.4  # of a stage and seed that does not learn: written, opened, answered
TIMED_SECONDS = 1.5  # of a stage: five batches, eight rounds
USUAL_SHARE = 0.5  # of the epochs of a round, where a step does not say


def foresee(
    spec: RunSpec, num_rows: int, inputs: Inputs, num_outputs: int, around: Circumstances, *, asks: bool
) -> Estimate:
    """Estimate seconds and memory. A search takes the minutes that it is given, and then its chain for every seed. `asks`: the teacher is needed."""
    assert spec.compress is not None
    plain = spec.model_copy(update={"compress": None})
    ordinary = estimate.foresee(plain, num_rows, inputs, num_outputs, around)
    rows = around.train_rows or estimate.training_rows(spec.dataset, num_rows)
    about = plain, spec.students[0], rows, inputs, num_outputs
    pair = estimate.pair_seconds(*about, gpu=ordinary.places.students == "cuda")  # with and without the teacher
    seeds = spec.training.seeds_at_first
    works = [w for w in ordinary.works if w.kind.startswith("data") or (asks and w.kind.startswith("teacher"))]
    if spec.compress.chains:
        tree = tree_of(spec.compress.chains)
        found = around.busy * seconds(tree, seeds, pair, spec.evaluation.latency)
        works.append(Work("compress", found, found * around.pace.factor("compress")))
    else:
        limit = 60 * spec.compress.minutes
        after = around.busy * seeds * (2 * STEP_SECONDS + USUAL_SHARE * pair)
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


def seconds(tree: Tree, seeds: int, pair: float, timed: bool) -> float:
    """Foresee the seconds of a tree's stages for so many seeds; a pair is one training with and one without the teacher."""
    found = 0.0
    for node in tree.nodes[1:]:
        assert node.step is not None
        share = float(node.step.settings.get("epochs", USUAL_SHARE)) if learns(node.step) else 0.0
        found += seeds * (STEP_SECONDS + share * pair)
    return found + TIMED_SECONDS * len(tree.nodes) * timed
