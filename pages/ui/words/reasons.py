"""Why a verdict is what it is, what to try for that, and what would settle an open one."""

from __future__ import annotations

from kd_core.runs.outcome import Outcome, StudentOutcome
from pages.ui.result.differences import metric_word, points
from pages.ui.shared import text
from pages.ui.shared.text import Safe, t


def settling(found: Outcome, student: StudentOutcome) -> Safe | None:
    """Say what would decide an open verdict: more seeds, or more test rows."""
    told = student.advice
    if told is None or told.kind == "none":
        return None
    if told.need is None:
        return t(f"runs.settle.{told.kind}_more")
    of = (
        f"ranking.settle_{told.kind}"
        if told.kind != "seeds" and found.raw["dataset"].get("groups")
        else f"runs.settle.{told.kind}"
    )
    return t(of, need=text.exact(told.need))


def likely(found: Outcome, student: StudentOutcome) -> tuple[Safe | None, Safe | None]:
    """Say the likely reason of a verdict and the next thing to try."""
    reason = student.raw.get("reason") or {}
    code, values = str(reason.get("code", "")), reason.get("values") or {}
    if code == "no_room" and found.schema < 2:
        code = "no_room_older"  # it compared two means, without an interval
    if code in ("", "gain") or f"runs.reason.{code}.why" not in text.catalogue():
        return None, None
    name = found.metric.name
    said = {
        "metric": metric_word(name),
        "alpha": f"{values['alpha']:g}" if values.get("alpha") is not None else "–",
        "margin": points(name, student.margin),
        "width": points(name, values.get("width")),
        "n": values.get("n", len(student.seeds)),
    }
    settled = code == "wide_interval" and student.advice is not None and student.advice.kind != "none"
    return t(f"runs.reason.{code}.why", **said), None if settled else t(f"runs.reason.{code}.next", **said)
