"""Whether the teacher has anything to teach: teacher against baseline on validation rows, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from kd_core.data.dataset import Dataset
from kd_core.evaluate import METRICS
from kd_core.runs import assessment
from kd_core.runs.cells.grid import Arm
from kd_core.runs.cells.variant_store import Training
from kd_core.runs.store.measured import write_gain
from kd_core.teachers.base import TeacherAnswers

FEWEST_UNITS = 200  # of validation; on fewer the test rows agreed with such a claim in 2 to 4 of 8 splits


def compare(
    dataset: Dataset,
    student: str,
    teacher: TeacherAnswers,
    baseline: Sequence[Training],
    metric: str,
    device: torch.device,
) -> dict[str, Any]:
    """Compare the teacher with a student trained alone; `gain` is above 0 where the teacher is better.

    `state` is `room` or `none` when the interval lies on one side of 0, else `unclear`; fewer validation units than
    FEWEST_UNITS are never said to leave no room. `room` is False for `none` alone.
    """
    logits = {"baseline": [t.logits(dataset, "validation", device) for t in baseline]}
    z_teacher = teacher.logits["validation"]
    rows = assessment.comparable(dataset, z_teacher)
    mean = assessment.spread([t.record.score_selected for t in baseline])["mean"]
    if rows is None:
        unknown = {"student": student, "teacher": None, "baseline": mean, "gain": None, "units": 0}
        return {**unknown, "state": "unclear", "room": True}
    found = assessment.evidence(dataset, "validation", z_teacher, logits, rows)
    gain = found.gain(metric, "teacher", "baseline")
    if rows is not assessment.ALL:
        mean = assessment.spread(found.values(metric, "baseline"))["mean"]  # on the rows that the teacher answered
    row = {
        "student": student,
        "teacher": found.values(metric, "teacher")[0],
        "baseline": mean,
        "gain": write_gain(gain) if gain else None,
        "units": found.num_units,
    }
    state = "unclear"
    if gain is not None and gain.low is not None and gain.high is not None:
        if gain.low > 0:
            state = "room"
        elif gain.high < 0 and found.num_units >= FEWEST_UNITS:
            state = "none"
    return {**row, "state": state, "room": state != "none"}


HINTS = {
    "student": "A gain is unlikely. You can stop now and choose a stronger teacher or a smaller student.",
    "baseline": "The model that was chosen was trained alone, so nothing is lost; the run goes on to tell what distilling gives.",
}


def warnings(rows: Sequence[dict[str, Any]], metric: str, taken: Arm = "student") -> list[dict[str, Any]]:
    """Say where the teacher is worse than the student alone beyond its interval; suggest to stop where the taught one is wanted."""
    poor = [str(r["student"]) for r in rows if r["state"] == "none"]
    if not poor:
        return []
    return [
        {
            "kind": "warning",
            "code": "no_room",
            "message": f"On validation the teacher's {METRICS.get(metric).title} is worse than that of {', '.join(poor)} trained alone, beyond the interval.",
            "hint": HINTS[taken],
        }
    ]
