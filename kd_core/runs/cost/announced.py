"""What a run says before anything is trained: how many trainings, in which parts, where, and about how long each takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kd_core.evaluate import METRICS
from kd_core.runs import plan
from kd_core.runs.cells import grid
from kd_core.runs.compressing import foreseen as compressed
from kd_core.runs.estimate import Estimate
from kd_core.runs.settings.added import Added
from kd_core.specs import RunSpec
from kd_core.training.plan import resolve


def event(
    spec: RunSpec,
    train_rows: int,
    metric: str,
    phases: Sequence[str],
    foreseen: Estimate,
    added: Added | None,
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the event `plan` of a run. `added`: the seeds that a what-if got later; `before`: its result without them."""
    steps = resolve(spec.training, train_rows, spec.students[0].arch.name)
    told = foreseen.fields(phases)
    return {
        "kind": "plan",
        "trainings": foreseen.trainings - foreseen.tried,
        "phases": list(phases),
        "students": [s.name for s in spec.students],
        "seeds": list(grid.seeds(spec)),
        "folds": plan.folds_of(spec, train_rows),
        "epochs": steps.most_epochs,
        "round_epochs": steps.epochs,
        "teacher_epochs": plan.own_epochs(spec.teacher, train_rows),
        "batch_size": steps.batch_size,
        "metric": metric,
        "better": METRICS.get(metric).facts["better"],
        **foreseen.places.fields(),
        **told,
        **({"candidates": len(spec.students)} if spec.choose else {}),
        **(added.plan_fields(spec, told, before) if added is not None else {}),
        **(compressed.plan_fields(spec) if spec.compress else {}),
    }
