"""How much of the error of the trivial answer is removed, mean over the tasks of a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import IN_PARTS, task_of


def errors_of(part: Answers) -> tuple[Array, Array] | None:
    """Return each row's error and that of the trivial answer: log loss beside the classes' own shares, or squared error beside the mean.

    None where the rows have one value only, so that there is nothing to remove. Shape: (N,), (N,).
    """
    if not len(part.y) or not np.ptp(part.y) > 0:
        return None
    if part.p is not None:
        counts = np.bincount(part.y)
        own = part.p[np.arange(len(part.y)), part.y]
        return -np.log(np.maximum(own, np.finfo(np.float64).eps)), -np.log(counts[part.y] / len(part.y))
    assert part.values is not None
    return (part.values - part.y) ** 2, (part.y - part.y.mean()) ** 2


def _heads(answers: Answers) -> Iterator[tuple[str, Array, Array]]:
    for name, part in answers.parts.items():
        found = errors_of(part)
        if found is not None:
            yield name, *found


def influence(answers: Answers) -> Array | None:
    """Linearise 1 - error / trivial error (delta method), mean over tasks; a row whose label is unknown has none in that task."""
    known, rows, found = task_of(answers.task).known_in_parts(answers.y), len(answers.y), []
    for name, each, plain in _heads(answers):
        error, trivial = each.mean(), plain.mean()
        own = np.zeros(rows)
        own[known[name]] = (error / trivial * (plain / trivial - 1) - (each - error) / trivial) * (rows / len(each))
        found.append(own)
    return np.mean(found, axis=0) if found else None


def reference(answers: Answers) -> float:
    """The same number by scikit-learn's log loss and R²."""
    from sklearn.metrics import log_loss, r2_score

    found = []
    for part in answers.parts.values():
        if part.p is None:
            found.append(r2_score(part.y, part.values))
            continue
        classes = np.arange(part.p.shape[1])
        prior = np.tile(np.bincount(part.y, minlength=len(classes)) / len(part.y), (len(part.y), 1))
        found.append(1 - log_loss(part.y, part.p, labels=classes) / log_loss(part.y, prior, labels=classes))
    return float(np.mean(found))


def weighted(w_DN: Array, answers: Answers) -> Array:
    """The metric of draws in which rows weigh as often as they were drawn. Shape: (D, N) -> (D,)."""
    known, found = task_of(answers.task).known_in_parts(answers.y), []
    for name, part in answers.parts.items():
        w = w_DN[:, known[name]]
        total = w.sum(axis=1)
        if part.p is not None:
            p = np.stack([w @ (part.y == c) for c in range(part.p.shape[1])], axis=1) / total[:, None]
            trivial = -(p * np.log(np.maximum(p, 1e-300))).sum(axis=1)
            error = w @ -np.log(part.p[np.arange(len(part.y)), part.y]) / total
        else:
            values: Any = part.values
            mean = w @ part.y / total
            trivial, error = w @ part.y**2 / total - mean**2, w @ (values - part.y) ** 2 / total
        found.append(1 - error / trivial)
    return np.asarray(np.mean(found, axis=0))


@METRICS.register(
    "skill",
    title="Skill",
    source="of our own: R² of numbers, and its like for classes (McFadden 1974), mean over tasks",
    tasks=IN_PARTS,
    better="higher",
    unit="share of error",
    margin=0.005,
    relative=False,
    influence=influence,
    reference=reference,
    weighted=weighted,
)
def skill(answers: Answers) -> float | None:
    """Share of the trivial answer's error that is removed, mean over tasks: 1 is all right, 0 as good as knowing no row, below 0 worse.

    The trivial answer knows these rows' class shares, or their mean: 1 - log loss / entropy for classes, R² for numbers. A task whose
    rows have one value only is left out; None where all are.
    """
    found = [1 - each.mean() / plain.mean() for _, each, plain in _heads(answers)]
    return float(np.mean(found)) if found else None
