"""Which share of a group's relevant rows (grade above 0) is among its first 10."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate import lists
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import BY_ORDER


def influence(answers: Answers) -> Array | None:
    """Compare each group with the mean of all."""
    return lists.influence(answers, lists.recall(answers, 10))


def weighted(weights_DN: Array, answers: Answers) -> Array:
    """Weigh the groups. Shape: (D, N) -> (D,)."""
    return lists.weighted(weights_DN, answers, lists.recall(answers, 10))


def reference(answers: Answers) -> float:
    """Count from the definition, group by group; no two scores may be equal."""
    assert answers.groups is not None and answers.values is not None
    found = []
    for one in np.unique(answers.groups):
        y, s = answers.y[answers.groups == one], answers.values[answers.groups == one]
        if (y > 0).any():
            found.append((y[np.argsort(-s)][:10] > 0).sum() / (y > 0).sum())
    return float(np.mean(found))


@METRICS.register(
    "recall_10",
    title="Recall@10",
    source="Manning et al. 2008, Introduction to Information Retrieval, chapter 8",
    tasks=BY_ORDER,
    better="higher",
    unit="share",
    margin=0.01,
    relative=False,
    influence=influence,
    weighted=weighted,
    reference=reference,
)
def recall_10(answers: Answers) -> float | None:
    """Average recall@10 over groups; those without a relevant row are left out. None where all are."""
    return lists.mean(lists.recall(answers, 10))
