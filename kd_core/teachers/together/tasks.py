"""One teacher for each task of a row: who is heard of which, and how several are averaged task by task.

Legend: M teachers, N rows, C columns of all tasks: probabilities of classes and values in their units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kd_core.data.dataset import Array, Dataset
from kd_core.errors import SpecError
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import METRICS, Answers
from kd_core.limits import KNOWN_ROWS
from kd_core.task import IN_PARTS, Question, task_of
from kd_core.teachers.estimator import SMALLEST_PROBABILITY
from kd_core.teachers.together.class_teachers import common_rows, named

Weigh = Callable[[Array], Array]


def questions(data: Dataset) -> tuple[Question, ...]:
    """Return the tasks of a row. Errors: SpecError `no_tasks` where there is one."""
    if not IN_PARTS(task_of(data.task)):
        raise SpecError(
            "One teacher per task needs several targets of a row; here is one, {target}.",
            "Combine by mean or weighted, or name more targets.",
            "no_tasks",
            target=data.spec.target,
        )
    return task_of(data.task).questions(data.spec.target, data.classes)


def known_tasks(by_hand: dict[str, int], data: Dataset) -> None:
    """Refuse tasks that a row has not. Errors: SpecError `no_such_task`."""
    names = [name for name, *_ in questions(data)]
    unknown = sorted(set(by_hand) - set(names))
    if unknown:
        raise SpecError(
            "A teacher is named for {tasks}, and no target is called so.",
            "Targets: {known}.",
            "no_such_task",
            tasks=", ".join(map(repr, unknown)),
            known=", ".join(names),
        )


def heard(by_hand: dict[str, int], validation: Array, data: Dataset) -> list[int]:
    """Say by its position who is heard of each task: who was named, or who has the best of its metric on validation rows.

    Shape: validation (M, V, C). Errors: DataError `few_common_rows` where any task is left to validation rows.
    """
    names = [name for name, *_ in questions(data)]
    if set(names) <= set(by_hand):
        return [by_hand[name] for name in names]
    rows = common_rows(validation)
    y = data.validation.y[rows]
    parts = [
        from_logits(data.task, y, _logits(v[rows], data), data.target_mean, data.target_std).parts for v in validation
    ]
    return [by_hand.get(name, _best([one[name] for one in parts])) for name in names]


def _best(answers: Sequence[Answers]) -> int:
    metric = METRICS.get(task_of(answers[0].task).primary)
    if len(answers[0].y) < KNOWN_ROWS:
        return 0
    scores = [metric.make(one) for one in answers]
    if any(score is None for score in scores):
        return 0
    values = np.array(scores, dtype=np.float64)
    return int(values.argmax() if metric.facts["better"] == "higher" else values.argmin())


def by_task(by_hand: Sequence[str], validation: Array, data: Dataset) -> tuple[Weigh, None]:
    """Hear of each task the one teacher that is named for it, or that answers it best on validation rows.

    Errors: SpecError `no_tasks`; those of `heard`.
    """
    best = heard(named(by_hand, len(validation)), validation, data)
    whom = np.concatenate(
        [[one] * (end - start) for one, (_, _, start, end, _) in zip(best, questions(data), strict=True)]
    )
    return (lambda v: np.broadcast_to((np.arange(len(v))[:, None] == whom)[:, None, :], v.shape).astype(float)), None


def combined(v_MNC: Array, w: Array, known_MN: Array, data: Dataset) -> Array:
    """Average task by task over those who know a row. Shape: w (M, N) or (M, N, C) -> (N, C) float32 logits; unknown rows are NaN."""
    weights = np.where(known_MN[:, :, None], w if w.ndim == 3 else w[:, :, None], 0.0)
    evenly = np.broadcast_to(known_MN[:, :, None], v_MNC.shape)
    weights = np.where(weights.sum(0) > 0, weights, evenly)
    total = weights.sum(0)
    values = (weights * np.where(known_MN[:, :, None], v_MNC, 0.0)).sum(0) / np.where(total > 0, total, 1.0)
    values[~known_MN.any(axis=0)] = np.nan
    return _logits(values, data).astype(np.float32)


def _logits(values: Array, data: Dataset) -> Array:
    """Turn probabilities and values back into logits. Shape: (N, C) -> (N, C); a row of NaN stays one."""
    found = np.empty(values.shape, np.float64)
    every = questions(data)
    means, stds = (np.broadcast_to(v, len(every)) for v in (data.target_mean, data.target_std))
    for at, (_, _, start, end, names) in enumerate(every):
        own = values[:, start:end]
        found[:, start:end] = np.log(np.maximum(own, SMALLEST_PROBABILITY)) if names else (own - means[at]) / stds[at]
    return found
