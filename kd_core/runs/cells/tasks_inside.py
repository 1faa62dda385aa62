"""The tasks of a row as result.json has them: each with its metrics, its gain and its own word."""

from __future__ import annotations

from typing import Any

from kd_core.evaluate import METRICS
from kd_core.evaluate.intervals import inside
from kd_core.evaluate.intervals.evidence import Evidence
from kd_core.runs import assessment
from kd_core.runs.outcome import write_gain


def tasks_inside(found: Evidence, students: int, *, stopped: bool) -> list[dict[str, Any]]:
    """Judge each task of a row by its own metric; all words, of so many students, hold together. `stopped`: no word is sure."""
    every = inside.tasks_inside(found)
    told = []
    for part, (wide, word) in zip(every, inside.words(every, students), strict=True):
        own, facts = part.evidence, METRICS.get(part.metric).facts
        told.append(
            {
                "name": part.name,
                "task": part.task,
                "metric": part.metric,
                "title": METRICS.get(part.metric).title,
                "better": facts["better"],
                "unit": facts["unit"],
                "rows": len(next(iter(own.sides.values()))[0].y),
                "metrics": {
                    side: {m: assessment.spread(own.values(m, side)) for m in own.metrics()} for side in own.sides
                },
                "gain": write_gain(part.gain) if part.gain else None,
                "ci_family": [wide.low, wide.high] if wide else None,
                "margin": part.margin,
                "verdict": "inconclusive" if stopped else word.word,
                "small": word.small and not stopped,
            }
        )
    return told
