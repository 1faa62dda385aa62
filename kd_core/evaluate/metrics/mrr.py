"""How far up a group's first relevant row (grade above 0) stands: 1 at the first rank, 1/2 at the second."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate import lists
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import BY_ORDER


def influence(answers: Answers) -> Array | None:
    """Compare each group with the mean of all."""
    return lists.influence(answers, lists.reciprocal_rank(answers))


def weighted(weights_DN: Array, answers: Answers) -> Array:
    """Weigh the groups. Shape: (D, N) -> (D,)."""
    return lists.weighted(weights_DN, answers, lists.reciprocal_rank(answers))


def reference(answers: Answers) -> float:
    """Count from the definition, group by group; no two scores may be equal."""
    assert answers.groups is not None and answers.values is not None
    found = []
    for one in np.unique(answers.groups):
        y, s = answers.y[answers.groups == one], answers.values[answers.groups == one]
        ranks = np.flatnonzero(y[np.argsort(-s)] > 0)
        if len(ranks):
            found.append(1 / (ranks[0] + 1))
    return float(np.mean(found))


@METRICS.register(
    "mrr",
    title="MRR",
    source="Voorhees 1999, The TREC-8 Question Answering Track Report",
    tasks=BY_ORDER,
    better="higher",
    unit="share",
    margin=0.01,
    relative=False,
    influence=influence,
    weighted=weighted,
    reference=reference,
)
def mrr(answers: Answers) -> float | None:
    """Average 1 / rank of the first relevant row over groups; those without one are left out. None where all are."""
    return lists.mean(lists.reciprocal_rank(answers))
