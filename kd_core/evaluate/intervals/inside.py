"""The tasks of a row, each judged by itself from the same models' answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kd_core.evaluate.base import METRICS
from kd_core.evaluate.intervals import compare, families
from kd_core.evaluate.intervals.compare import Gain, Verdict, verdict
from kd_core.evaluate.intervals.evidence import Evidence
from kd_core.task import task_of


@dataclass(frozen=True)
class Inside:
    """What the rows say about one of the tasks. `gain`: of student over baseline on its `metric`, None where that is undefined."""

    name: str
    task: str
    metric: str
    evidence: Evidence
    gain: Gain | None
    margin: float


def tasks_inside(found: Evidence) -> list[Inside]:
    """Take the evidence apart by task: each has the rows whose label it knows, and its own task's metric and margin."""
    one = next(iter(found.sides.values()))[0]
    known = task_of(one.task).known_in_parts(one.y)
    told = []
    for name, part in one.parts.items():
        units = found.units
        if units is not None and name in known:
            units = np.unique(units[known[name]], return_inverse=True)[1]
        evidence = Evidence({side: [a.parts[name] for a in models] for side, models in found.sides.items()}, units)
        metric = task_of(part.task).primary
        facts, gain = METRICS.get(metric).facts, evidence.gain(metric, "student", "baseline")
        plain = [v for v in evidence.values(metric, "baseline") if v is not None]
        margin = compare.margin_in_units(facts["margin"], facts["relative"], plain) if gain and plain else 0.0
        told.append(Inside(name, part.task, metric, evidence, gain, margin))
    return told


def words(every: Sequence[Inside], students: int) -> list[tuple[Gain | None, Verdict]]:
    """Return each task's simultaneous interval and its word: they hold together for all tasks of all students of the run."""
    members = len(every) * students
    wide = [None if one.gain is None else families.simultaneous(one.gain, members) for one in every]
    return [
        (gain, Verdict("inconclusive") if gain is None else verdict(gain, one.margin))
        for gain, one in zip(wide, every, strict=True)
    ]
