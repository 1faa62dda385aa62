"""Mean negative log of the probability given to the next item, where training knows it."""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate import next_items
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import CATALOGUE


def _values(answers: Answers) -> Array:
    return next_items.losses(answers)


def influence(answers: Answers) -> Array | None:
    """Each row's own value, less the mean."""
    return next_items.influence(_values(answers))


def weighted(weights_DN: Array, answers: Answers) -> Array:
    """Weigh the rows. Shape: (D, N) -> (D,)."""
    return next_items.weighted(weights_DN, _values(answers))


def reference(answers: Answers) -> float:
    """Look each item up, or take what is left for each other one."""
    assert answers.kept is not None
    places = answers.kept.shape[1] // 2
    found = [
        -dict(zip(row[:places].astype(int), row[places:-1], strict=True)).get(y, row[-1])
        for row, y in zip(answers.kept, answers.y, strict=True)
        if y >= 0
    ]
    return float(np.mean(found))


@METRICS.register(
    "next_log_loss",
    title="Log loss",
    source="numpy",
    tasks=CATALOGUE,
    better="lower",
    unit="nats",
    margin=0.01,
    relative=True,
    influence=influence,
    weighted=weighted,
    reference=reference,
)
def next_log_loss(answers: Answers) -> float | None:
    """Mean negative log of the probability given to the next item, where training knows it."""
    return next_items.mean(_values(answers))
