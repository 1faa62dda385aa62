"""Several teachers beside one alone: what each of them answers, and whether a student of all is better than the best student of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kd_core.data.dataset import Array, Dataset
from kd_core.distill.meeting import MEMBER, MODES
from kd_core.evaluate import METRICS
from kd_core.evaluate.intervals import compare
from kd_core.runs import plan
from kd_core.runs.cells import modes
from kd_core.runs.cells.trainings import Arms
from kd_core.specs import Choice, RunSpec
from kd_core.teachers.balancing import balanced
from kd_core.teachers.base import TeacherAnswers, members

Ask = Callable[[Dataset, int, Choice], TeacherAnswers]  # dataset, folds, teacher


def wanted(spec: RunSpec) -> tuple[Choice, ...]:
    """Name the teachers that are also heard alone; none where the mode does not ask for it, or one teacher teaches."""
    asked = MODES.get(spec.mode.name).facts.get("members") and modes.settings(spec).singles
    return members(spec.teacher) if asked else ()


def answers(spec: RunSpec, dataset: Dataset, class_weights: Array | None, ask: Ask) -> dict[str, Array]:
    """Return what each of several teachers answers to the training rows, by its number and name; what is kept of it is not made again.

    Shape: (N, C). Errors: as `teacher_answers`.
    """
    found, folds = {}, plan.folds_of(spec, len(dataset.train))
    for number, one in enumerate(wanted(spec), 1):
        told = balanced(ask(dataset, folds, one), class_weights)
        found[f"{MEMBER}{number} {one.name}"] = told.logits["train"]
    return found


def told(spec: RunSpec, arms: Mapping[int, Arms], metric: str) -> list[dict[str, Any]]:
    """Set each student of all teachers beside the best of those of one, seed by seed on validation rows; nothing where there are none.

    The best of them is the one with the best mean. Units: of the metric.
    """
    found = []
    for index, one in arms.items():
        scores: dict[str, list[float]] = {}
        for training in one.student:
            for helper in training.record.helpers if wanted(spec) else ():
                scores.setdefault(helper["name"], []).append(helper["score"])
        whole = [training.record.score_selected for training in one.student]
        complete = {n: s for n, s in scores.items() if len(s) == len(whole) and None not in s}
        if complete and None not in whole:
            found.append({"student": spec.students[index].name, **_beside(whole, complete, metric)})
    return found


def _beside(whole: Sequence[Any], scores: Mapping[str, list[float]], metric: str) -> dict[str, Any]:
    facts = METRICS.get(metric).facts
    sign = 1.0 if facts["better"] == "higher" else -1.0
    best = max(scores, key=lambda name: sign * float(np.mean(scores[name])))
    gain = compare.paired(list(whole), scores[best], facts["better"])
    margin = compare.margin_in_units(facts["margin"], facts["relative"], scores[best])
    return {
        "best": best,
        "score": float(np.mean(whole)),
        "score_of_best": float(np.mean(scores[best])),
        "gain": {"mean": gain.mean, "ci95": [gain.low, gain.high], "n": gain.n},
        "word": compare.verdict(gain, margin).word,
    }
