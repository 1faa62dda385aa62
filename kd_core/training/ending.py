"""When a training ends: by patience in its first round, after a round that brought nothing worth it, or with its budget.

An automatic plan takes rounds of equal length, each with its own fall of the step size. A training that its patience
has not ended by the end of the first goes on, as long as a round still gains: so the curve decides, not the number of rows,
and a training that ends within its first round is the same to the last bit as one that could not have gone on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kd_core.evaluate import METRICS
from kd_core.evaluate.base import better_of
from kd_core.training.plan import TrainingPlan

WORTH = 0.1  # of the metric's margin: what a round must gain; a tenth of what counts as a difference


def ended(plan: TrainingPlan, metric: str, history: Sequence[Mapping[str, Any]], best_epoch: int) -> bool:
    """Say whether a training ends after its last epoch so far.

    `history`: one entry per epoch, its `score` that of the selection metric on validation; `best_epoch` counts from 1.
    """
    epoch, length = len(history), plan.epochs
    if epoch >= plan.most_epochs:
        return True
    patient = epoch <= length or plan.schedule == "constant"  # a later cosine is worse before it is better
    if patient and epoch - best_epoch >= plan.patience:
        return True
    if epoch == 0 or epoch % length:
        return False
    before = max(1, length // 2) if epoch == length else epoch - length
    best = max if better_of(metric) == "higher" else min
    return not worth(metric, best(h["score"] for h in history[:before]), history[best_epoch - 1]["score"])


def worth(metric: str, before: float, now: float) -> bool:
    """Say whether a score is so much better than an earlier one that further training is worth its time."""
    facts = METRICS.get(metric).facts
    gain = now - before if facts["better"] == "higher" else before - now
    margin = facts["margin"] * (abs(before) if facts["relative"] else 1.0)
    return gain > 0 and gain >= WORTH * margin
