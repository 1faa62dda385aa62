"""How far a small model's shares are from what they promise, where its teacher's are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core.runs.outcome import read_outcome
from pages.ui.shared import text
from pages.ui.shared.text import Safe, t

FAR = 0.05  # of mean distance between a share and how often it is right: below it nobody decides otherwise


def warning(result: Mapping[str, Any], index: int) -> Safe | None:
    """Warn of a calibration error far above the teacher's, surely so where there is an interval. Errors: KDError when the result can't be read."""
    found = read_outcome(result)
    student, theirs = found.students[index], found.teacher.get("ece")
    own, over = student.own.mean("ece"), student.own_versus_teacher.get("ece")
    if own is None or theirs is None or own - theirs < FAR:
        return None
    if (
        over is not None and over.high is not None and over.high >= 0
    ):  # above 0 is better, and an error is better when lower
        return None
    return t("runs.calibration.far", own=text.score(own), teacher=text.score(theirs))
