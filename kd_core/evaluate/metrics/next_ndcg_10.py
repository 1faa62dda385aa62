"""How high the next item stands in the first 10 of all items: 1 at the top, .63 at place 2, .29 at place 10, else 0."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate import next_items
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import CATALOGUE


def _values(answers: Answers) -> Array:
    return next_items.gains(answers, 1 / np.log2(np.arange(2, next_items.PLACES + 2)))


def influence(answers: Answers) -> Array | None:
    """Each row's own value, less the mean."""
    return next_items.influence(_values(answers))


def weighted(weights_DN: Array, answers: Answers) -> Array:
    """Weigh the rows. Shape: (D, N) -> (D,)."""
    return next_items.weighted(weights_DN, _values(answers))


def reference(answers: Answers) -> float:
    """Sort each row, where no two items have one probability."""
    assert answers.kept is not None
    total, places = 0.0, answers.kept.shape[1] // 2
    for row, y in zip(answers.kept, answers.y, strict=True):
        ranked = row[:places][np.argsort(-row[places:-1], kind="stable")][: next_items.PLACES]
        total += sum(1 / np.log2(at + 2) for at, item in enumerate(ranked) if item == y)
    return total / len(answers.y)


@METRICS.register(
    "next_ndcg_10",
    title="NDCG@10",
    source="Järvelin and Kekäläinen 2002, doi:10.1145/582415.582418; arXiv:2007.06434 (all items, none drawn)",
    tasks=CATALOGUE,
    better="higher",
    unit="share",
    margin=0.005,
    relative=False,
    influence=influence,
    weighted=weighted,
    reference=reference,
)
def next_ndcg_10(answers: Answers) -> float | None:
    """How high the next item stands in the first 10 of all items: 1 at the top, .63 at place 2, .29 at place 10, else 0."""
    return next_items.mean(_values(answers))
