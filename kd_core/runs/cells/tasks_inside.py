"""The tasks of a row as result.json has them: each with its metrics, its gain and its own word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kd_core import written
from kd_core.evaluate import METRICS
from kd_core.evaluate.intervals import inside
from kd_core.evaluate.intervals.evidence import Evidence
from kd_core.runs import assessment
from kd_core.runs.store.measured import write_gain


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
                **_sides(own),
                "gain": write_gain(part.gain) if part.gain else None,
                "ci_family": [wide.low, wide.high] if wide else None,
                "margin": part.margin,
                "verdict": "inconclusive" if stopped else word.word,
                "small": word.small and not stopped,
            }
        )
    return told


def _sides(found: Evidence) -> dict[str, Any]:
    """Tell of a task with classes what each side confused, how sure it was, and how it follows the teacher; nothing of a number."""
    one = next(iter(found.sides.values()))[0]
    if one.p is None:
        return {}
    taught = found.sides.get("teacher")
    theirs = one.z if taught is None else taught[0].z
    told = {}
    for side, models in found.sides.items():
        z = [a.z for a in models if a.z is not None]
        rows = None if taught is None or side == "teacher" else assessment.ALL
        block = assessment.seeds_block(found, side, one.p.shape[1], z, np.asarray(theirs), rows)
        told[side] = {name: value for name, value in block.items() if name != "metrics"}
    return {"sides": told}


WORDS = {
    "beats": "better than alone",
    "ties": "as good as alone",
    "hurts": "worse than alone",
    "inconclusive": "not clear yet",
}


def mean(one: Mapping[str, Any], side: str) -> float | None:
    """Return a side's mean of a task's own metric; None where it has none (a teacher that left out rows)."""
    found: float | None = one["metrics"].get(side, {}).get(one["metric"], {}).get("mean")
    return found


def lines(student: Mapping[str, Any]) -> list[str]:
    """Say for a terminal what came of each task of a row; nothing of one target."""
    found = []
    for one in student.get("tasks") or ():
        scores = ", ".join(
            f"{side} {written.number(value)}"
            for side in ("student", "baseline", "teacher")
            if (value := mean(one, side)) is not None
        )
        gain = ""
        if one["gain"] is not None:
            low, high = one["ci_family"]
            gain = f"; gain {one['gain']['mean']:+.3g}" + ("" if low is None else f" [{low:+.3g}, {high:+.3g}]")
        found.append(
            f"  {one['name']}: {WORDS[one['verdict']]} by {one['title']} ({scores}{gain}; {one['rows']:,} test rows)."
        )
    return [*found, "  The intervals of the tasks hold all together."] if found else []
