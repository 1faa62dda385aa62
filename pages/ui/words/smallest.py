"""Which of a run's several students is the smallest that is as good as the best, on validation rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core.runs.outcome import Outcome, StudentOutcome, read_outcome
from pages.ui.result import differences
from pages.ui.shared import text
from pages.ui.shared.text import Safe, escape, t
from pages.ui.words import decision


def of(result: Mapping[str, Any], shown: int | None = None) -> Safe | None:
    """Name it beside the best, or as one smaller than the model that the run's advice is about where that is `shown`.

    None where there is one student, where it was chosen, where a size or score is not known, and beside any other student.
    """
    chosen = _chosen(result)
    if chosen is None:
        return None
    one, best, metric = *chosen, result["metric"]["name"]
    found = read_outcome(result)
    instead = shown is not None and found.students[shown].name != one.name
    if instead and (shown != found.best or _advised_bytes(found, found.students[shown]) <= _bytes(one)):
        return None
    return t(
        f"runs.result.smallest{'_instead' if instead else '_is_best' if one is best else ''}",
        num=len(result["students"]),
        name=escape(one.name),
        size=text.size(_bytes(one)),
        score=text.score(one.selected),
        metric=differences.metric_word(metric),
        margin=differences.points(metric, one.margin),
        best=escape(best.name),
        best_score=text.score(best.selected),
        best_size=text.size(_bytes(best)),
    )


def named(result: Mapping[str, Any]) -> str | None:
    """Return its name alone, None as above."""
    chosen = _chosen(result)
    return None if chosen is None else chosen[0].name


def _chosen(result: Mapping[str, Any]) -> tuple[StudentOutcome, StudentOutcome] | None:
    """Find it, and the best."""
    found = read_outcome(result)
    known = [s for s in found.students if s.selected is not None and _bytes(s)]
    if result.get("choice") or len(known) < 2 or len(known) < len(found.students):
        return None
    sign = 1.0 if found.metric.better == "higher" else -1.0
    best = max(known, key=lambda s: sign * (s.selected or 0.0))
    alike = [s for s in known if sign * ((best.selected or 0.0) - (s.selected or 0.0)) <= s.margin]
    return min(alike, key=_bytes), best


def _advised_bytes(found: Outcome, student: StudentOutcome) -> int:
    """Return the size of the model that the decision is for."""
    taken = decision.chosen(found, student)
    return _bytes(student) if taken.block is student.raw else int(taken.block.get("size_bytes") or 0)


def _bytes(student: StudentOutcome) -> int:
    return int(student.bytes or student.raw.get("size_bytes") or 0)
