"""Share of rows whose next item stands among the first 10 of all items."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate import next_items
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import CATALOGUE


def _values(answers: Answers) -> Array:
    return next_items.gains(answers, np.ones(next_items.PLACES))


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
        total += y in ranked
    return total / len(answers.y)


@METRICS.register(
    "next_hit_10",
    title="HIT@10",
    source="arXiv:2007.06434 (all items, none drawn)",
    tasks=CATALOGUE,
    better="higher",
    unit="share",
    margin=0.01,
    relative=False,
    influence=influence,
    weighted=weighted,
    reference=reference,
)
def next_hit_10(answers: Answers) -> float | None:
    """Share of rows whose next item stands among the first 10 of all items."""
    return next_items.mean(_values(answers))
