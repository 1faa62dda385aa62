"""Why a verdict is what it is, what to try for that, and what would settle an open one."""

from __future__ import annotations

from kd_core.evaluate.intervals.advice import instead_of_seeds
from kd_core.runs.outcome import Outcome, StudentOutcome
from pages.ui.result.differences import Written, metric_word, points
from pages.ui.shared import text
from pages.ui.shared.text import Safe, t


def settling(found: Outcome, student: StudentOutcome) -> Safe | None:
    """Say what would decide an open verdict: more seeds, or more test rows."""
    told = student.advice
    if student.untaught or told is None or told.kind == "none":
        return None
    if told.need is None:
        return t(f"runs.settle.{told.kind}_more")
    if helps := instead_of_seeds(told.kind, told.need, student.gain[found.metric.name]):
        return t(f"runs.settle.seeds_{helps}", need=text.exact(told.need))
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
    code = "untaught" if student.untaught and code != "no_room" else code
    if code == "no_room" and found.schema < 2:
        code = "no_room_older"  # it compared two means, without an interval
    if code in ("", "gain") or f"runs.reason.{code}.why" not in text.catalogue():
        return None, None
    name = found.metric.name
    if code == "wide_interval":
        settled = student.advice is not None and student.advice.kind != "none"
        return _open(found, student), None if settled else t(f"runs.reason.{code}.next")
    said = {
        "metric": metric_word(name),
        "alpha": f"{values['alpha']:g}" if values.get("alpha") is not None else "–",
        "margin": points(name, student.margin),
    }
    return t(f"runs.reason.{code}.why", **said), t(f"runs.reason.{code}.next", **said)


def _open(found: Outcome, student: StudentOutcome) -> Safe:
    """Say which answers an interval leaves open, from its worse end to its better one, and how little it rests on."""
    name = found.metric.name
    gain = student.judged(name) or student.gain[name]
    low, high = gain.low, gain.high
    assert low is not None and high is not None  # else the reason is that there is one seed
    worse, better = low < -student.margin, high > student.margin
    written = Written.of(name, gain)
    left = t(f"runs.reason.wide_interval.{'all' if worse and better else 'hurt' if worse else 'helped'}")
    told = {"rows": int(found.raw["dataset"]["rows"]["test"]), "n": len(student.seeds), "left": left}
    return t("runs.reason.wide_interval.why", low=_end(written, low), high=_end(written, high), **told)


def _end(written: Written, value: float) -> Safe:
    unit = f" {t('runs.verdict.points_word')}" if written.share else ""
    return t(f"runs.reason.wide_interval.{'worse' if value < 0 else 'better'}", end=f"{written.bound(value)}{unit}")
