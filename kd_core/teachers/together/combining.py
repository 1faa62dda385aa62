"""Answers of several teachers made one: by fixed weights, row by row, or class by class.

Legend: M teachers, N rows, K answers to a row: the classes' probabilities, or one number in the target's unit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Literal

import numpy as np

from kd_core.data.dataset import Array, Dataset
from kd_core.errors import SpecError
from kd_core.task import IN_PARTS, SOME_CLASSES, task_of
from kd_core.teachers.given import logits_of
from kd_core.teachers.together import tasks
from kd_core.teachers.together.class_teachers import common_rows, heard, named

Combine = Literal["mean", "weighted", "confidence", "per_class", "per_task"]
# answers (M, N, K) -> weights (M, N), or (M, N, K) of each class, before it is known who answered which row
Weigh = Callable[[Array], Array]

_ROUNDS, _ENOUGH = 1000, 1e-9  # of finding weights; a round that moves none by more is the last


def answers_of(logits: Sequence[Array], data: Dataset) -> Array:
    """Turn logits into probabilities, or values in the target's unit. Shape: M times (N, C) -> (M, N, C), or (M, N, 1)."""
    task = task_of(data.task)
    return np.stack([task.table(np.asarray(z, np.float64), data.target_mean, data.target_std) for z in logits])


def combined(v_MNK: Array, w_MN: Array, data: Dataset) -> Array:
    """Average by weights over those who know a row; where these have no weight at all, evenly. Shape: -> (N, C) float32.

    With weights of each class the answers to a row are made to add up to 1 again.
    """
    known = ~np.isnan(v_MNK[:, :, 0])
    if IN_PARTS(task_of(data.task)):
        return tasks.combined(v_MNK, w_MN, known, data)
    if w_MN.ndim == 3:
        own = [_mean(v_MNK[:, :, k : k + 1], w_MN[:, :, k], known) for k in range(v_MNK.shape[2])]
        p = np.concatenate(own, axis=1)
        return logits_of(p / np.maximum(p.sum(axis=1, keepdims=True), 1e-300), data, "probabilities")[0]
    values = _mean(v_MNK, w_MN, known)
    return logits_of(values, data, "probabilities" if SOME_CLASSES(task_of(data.task)) else "auto")[0]


def _mean(v_MNK: Array, w_MN: Array, known: Array) -> Array:
    """Average over members by their weights in each row; a row that nobody knows is NaN. Shape: -> (N, K)."""
    w = np.where(known, w_MN, 0.0)
    w = np.where(w.sum(0) > 0, w, known)
    total = w.sum(0)
    share = w / np.where(total > 0, total, 1.0)
    values = (share[:, :, None] * np.where(known[:, :, None], v_MNK, 0.0)).sum(0)
    values[total == 0] = np.nan
    return np.asarray(values)


def _evenly(by_hand: Sequence[str], validation: Array, data: Dataset) -> tuple[Weigh, None]:
    return (lambda v: np.ones(v.shape[:2])), None


def _by_validation(by_hand: Sequence[str], validation: Array, data: Dataset) -> tuple[Weigh, list[float]]:
    """Find fixed weights by the validation rows that all members know: the most likely mixture, or the least squared error.

    Source: Breiman, Stacked regressions (1996); Yao et al., arXiv:1704.02030, for probabilities.
    """
    rows = common_rows(validation)
    v, y = validation[:, rows], data.validation.y[rows]
    if task_of(data.task).each_alone:
        w = mixture(np.where(y > 0, v, 1 - v).reshape(len(v), -1))  # what each gave the right answer of every label
    else:
        w = mixture(v[:, np.arange(len(y)), y]) if task_of(data.task).has_classes else least_squares(v[:, :, 0] - y)
    return (lambda v: np.repeat(w[:, None], v.shape[1], axis=1)), [float(x) for x in w]


def _by_class(by_hand: Sequence[str], validation: Array, data: Dataset) -> tuple[Weigh, None]:
    """Hear of each class the one teacher that is named for it, or that tells it best from all others on validation rows.

    Errors: SpecError `no_specialists` for fewer than 3 classes; those of `heard`.
    """
    if validation.shape[2] < 3 or not task_of(data.task).has_classes:
        raise SpecError(
            "One teacher per class needs 3 classes or more: of two, who knows one knows the other.",
            "Combine by mean or weighted.",
            "no_specialists",
        )
    best = heard(named(by_hand, len(validation)), validation, data)
    return (lambda v: np.broadcast_to((np.arange(len(v))[:, None] == best)[:, None, :], v.shape).astype(float)), None


def mixture(p_MN: Array) -> Array:
    """Find the weights under which a mixture gives the labels the highest likelihood; each round raises it. Shape: (M, N) -> (M,)."""
    p, w = np.maximum(p_MN, 1e-12), np.full(len(p_MN), 1 / len(p_MN))
    for _ in range(_ROUNDS):
        part = w[:, None] * p
        new = (part / part.sum(0)).mean(1)
        if np.abs(new - w).max() < _ENOUGH:
            break
        w = new
    return np.asarray(w)


def least_squares(errors_MN: Array) -> Array:
    """Find the weights, none below 0, that add up to 1 and leave the least squared error, among all groups of members. Shape: (M, N) -> (M,)."""
    g, best, least = errors_MN @ errors_MN.T / errors_MN.shape[1], np.zeros(len(errors_MN)), np.inf
    for size in range(1, len(g) + 1):
        for group in combinations(range(len(g)), size):
            part = g[np.ix_(group, group)]
            x = np.linalg.pinv(part) @ np.ones(size)
            x = x / x.sum() if x.sum() > 0 else np.full(size, 1 / size)
            if x.min() >= 0 and (error := float(x @ part @ x)) < least:
                best, least = np.zeros(len(g)), error
                best[list(group)] = x
    return best


def _by_confidence(by_hand: Sequence[str], validation: Array, data: Dataset) -> tuple[Weigh, None]:
    """Weigh each row's answers by 1 - H(p) / log C: sure ones count in full, an even one not at all.

    The label-free side of CA-MKD, which weighs by the cross-entropy to a row's label: that would tell the test labels.

    Source: arXiv:2201.00007. Errors: SpecError `no_confidence` for a number.
    """
    if not task_of(data.task).has_classes:
        raise SpecError(
            "Teachers of a number say nothing of how sure they are, so they can't be combined by confidence.",
            "Combine by mean or weighted.",
            "no_confidence",
        )

    def weigh(v: Array) -> Array:
        entropy = -(v * np.log(np.maximum(v, 1e-300))).sum(axis=2)
        return np.asarray(np.clip(1 - entropy / np.log(v.shape[2]), 0.0, 1.0))

    return weigh, None


# way(teachers named for classes, answers to the validation rows, dataset) -> how answers are weighed, and the fixed weights where there are any
WAYS: dict[Combine, Callable[[Sequence[str], Array, Dataset], tuple[Weigh, list[float] | None]]] = {
    "mean": _evenly,
    "weighted": _by_validation,
    "confidence": _by_confidence,
    "per_class": _by_class,
    "per_task": tasks.by_task,
}
