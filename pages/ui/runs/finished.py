"""How far a run is, in words: finished units, and a plan that was wrong."""

from __future__ import annotations

from typing import Any

from pages.ui.shared import text
from pages.ui.shared.text import Safe, t


def units(now: Any) -> list[Safe]:
    """Say how many units are finished: fits of the teacher while it is taught, trainings, parts of the evaluation."""
    found, at = [], now.outlook.units
    if at is not None and at.work != "training":
        work = at.work.split(":")[0]
        kind = work if work in ("teacher", "choose", "texts", "pictures", "made", "compress", "search") else "part"
        found.append(t(f"runs.units.{kind}", done=at.done, of=at.of))
    if now.trainings:
        added = now.outlook.added
        words = "runs.head.progress_more" if added else "runs.head.progress"
        found.append(t(words, done=now.trainings_done, of=now.trainings, added=added))
    return found


def late(now: Any) -> Safe | None:
    """Say that a run takes longer than its plan promised, and about how much longer; None when it is on time."""
    if not now.eta_s or not now.outlook.late:
        return None
    return t("runs.live.late", more=text.seconds(round(now.eta_s)))
