"""A run while it works: one small fragment that reads a snapshot and draws it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.store.measured import read_gain
from kd_core.runs.store.runs import RunStore
from pages.ui.compress import live as making
from pages.ui.result import differences
from pages.ui.result.differences import Written
from pages.ui.runs import curves, finished, run_head, silence
from pages.ui.shared import announcer, engine, text, viewers
from pages.ui.shared.text import Safe, escape, t

PHASE_LOOK = {
    "done": ("green", ":material/check:"),
    "running": ("blue", ":material/play_arrow:"),
    "waiting": ("gray", ":material/schedule:"),
    "stopped": ("orange", ":material/stop:"),
}

SWEEP = "sweep"  # the phase of all trainings of a what-if, which are counted beside the time
ROOM_ICON = {"room": ":material/trending_up:", "unclear": ":material/help:"}


def show(store: RunStore, run_id: str, snapshot: Any) -> None:
    """Draw the run and draw it again every few seconds; when it ends, the whole page is drawn once more."""
    again(store, run_id, snapshot, curves.points(len(snapshot.curves)), draw)


def again(store: RunStore, run_id: str, begun: Any, points: int, draw: Callable[[Any], None]) -> None:
    """Draw a run's newest snapshot every few seconds, and that it is silent where it is. `points`: as `RunStore.snapshot` takes them."""
    every = viewers.interval()

    @st.fragment(run_every=every)
    def body() -> None:
        with viewers.look(every):
            try:
                now = store.snapshot(run_id, points)
            except KDError:
                st.rerun()  # the run was removed or damaged meanwhile: the page says so
            if now.state != begun.state:
                st.rerun()  # the buttons above and the line in the sidebar stand outside this fragment
            silence.show(now)
            draw(now)
            announcer.progress(now)

    body()


def teaching(now: Any) -> Safe:
    """Say how often the teacher is trained."""
    folds = now.plan.get("folds", now.spec.evaluation.folds)  # plans of earlier versions do not tell it, their specs do
    return t("runs.live.teaching_once") if folds == 1 else t("runs.live.teaching", folds=folds)


def draw(now: Any) -> None:
    """Draw one snapshot."""
    with st.container(border=True, key="live-head"):
        progress(now)
        if now.phases and now.state != "queued":
            phases(now)
    if now.state == "queued":
        st.info(t("runs.live.waiting"), icon=":material/hourglass_empty:")
        finished.ahead(engine.store(), now.run_id)
    elif now.plan is None:
        st.info(t("runs.live.starting"), icon=":material/rocket_launch:")
    elif not now.curves and any(p.name == "teacher" and p.state == "running" for p in now.phases):
        st.caption(teaching(now))
    making.show(now)
    room(now)
    for warning in now.warnings:
        if warning.get("code") != "no_room":
            words = escape(f"{warning.get('message', '')} {warning.get('hint', '')}".strip())
            st.caption(f":orange[:material/warning:] {words}")
    if now.curves:
        curves.show(now, key=f"live-{now.run_id}")
    with st.expander(t("runs.live.log"), icon=":material/notes:"):
        log(now)


def progress(now: Any) -> None:
    """Draw state, seconds, trainings and the bar. One element for the whole line: each costs every viewer a message at every look."""
    look = run_head.state_badge(now.state)
    if now.state == "queued":
        st.markdown(f"{look} {t('runs.head.place', place=now.position or 1)}")
        return
    more = " · ".join(w for w in (*finished.units(now), machine(now)) if w)
    st.markdown(f"{look} {elapsed(now)}" + (f" :gray[· {more}]" if more else ""))
    finished.bars(now)
    if words := finished.late(now):
        st.markdown(f":material/schedule: {words}")


def elapsed(now: Any) -> str:
    """Say how long the run, or the round that was added to it, has gone on, and how long it will take in all."""
    seconds = now.elapsed_s - now.outlook.since
    gone = f"**{text.seconds(round(seconds))}**"
    if now.eta_s is None:
        return gone
    whole = text.forecast(round(seconds + now.eta_s), gone=seconds)
    return t("runs.head.elapsed", elapsed=text.Safe(gone), estimate=whole)


def machine(now: Any) -> str:
    """Say device, memory and speed in one short line."""
    used = now.resources or {}
    parts = [_devices(now.plan or {})]
    if used.get("rss_mb"):
        parts.append(text.size(used["rss_mb"] * 2**20))
    if used.get("gpu_mb"):
        parts.append(t("runs.live.gpu", value=text.size(used["gpu_mb"] * 2**20)))
    if now.rows_per_s:
        parts.append(t("runs.live.speed_value", value=text.number(now.rows_per_s)))
    return " · ".join(p for p in parts if p)


def _devices(plan: dict[str, Any]) -> str:
    """Name where the students learn, and the teacher's place where that is another."""
    students, teacher = (str(plan.get(name) or "").upper() for name in ("device", "teacher_device"))
    return t("runs.live.devices", teacher=teacher, students=students) if teacher not in ("", students) else students


def phases(now: Any) -> None:
    """Draw the phases as one strip: done with its seconds, running with its share, waiting."""
    at = now.outlook.units
    seconds = at is not None and at.work.startswith("search")  # a search is counted in seconds, told beside the time
    badges = []
    for phase in now.phases:
        colour, icon = PHASE_LOOK.get(phase.state, PHASE_LOOK["waiting"])
        words = text.catalogue().get(f"runs.phase.{phase.name}") or escape(phase.name)
        if phase.state == "done" and phase.cached:
            saved = (now.teacher or {}).get("seconds_saved")
            kept = t("runs.phase.saved", seconds=text.seconds(saved)) if saved else t("runs.phase.cached")
            words = f"{words} · {kept}"
        elif phase.state == "done" and phase.seconds is not None:
            words = f"{words} {text.seconds(phase.seconds)}"
        elif phase.state == "running" and phase.units and not seconds and phase.name != SWEEP:
            words = f"{words} {t('runs.phase.units', done=phase.units_done, of=phase.units)}"
        badges.append(f":{colour}-badge[{icon} {words}]")
    st.markdown(" ".join(badges))


def room(now: Any) -> None:
    """Say, before students are trained, whether there is anything to gain: a warning where there is not, one paragraph for all others."""
    metric = curves.metric_of(now)
    open_: dict[str, list[Any]] = {}
    for found in now.room:
        state = str(found.get("state") or "unclear")
        if state == "none":
            words = t(f"runs.live.room_none{'_alone' if now.chosen_alone else ''}", **_of_room(found, metric))
            st.warning(words, icon=":material/block:")
        else:
            open_.setdefault(state, []).append(found)
    said = [_room_of(state, open_[state], metric) for state in ROOM_ICON if state in open_]
    if said:
        icon = next(icon for state, icon in ROOM_ICON.items() if state in open_)
        st.caption(f"{icon} {' '.join(said)}", help=t("runs.live.room_help"))


def _room_of(state: str, students: list[Any], metric: str) -> Safe:
    """Say it once for all students of whom the same is known."""
    told = [_of_room(one, metric) for one in students]
    if len(told) == 1:
        return t(f"runs.live.room_{state}", **told[0])
    each = Safe(", ".join(t("runs.live.room_each", **one) for one in told))
    return t(f"runs.live.room_{state}_several", **{**told[0], "each": each})


def _of_room(found: Any, metric: str) -> dict[str, Any]:
    return {
        "student": str(found.get("student") or ""),
        "metric": differences.metric_title(metric),
        "teacher": text.score(found.get("teacher")),
        "baseline": text.score(found.get("baseline")),
        "interval": room_interval(found, metric),
        "lead": _lead(found, metric),
    }


def _lead(found: Any, metric: str) -> Safe:
    """Write the teacher's lead in short, for a list: mean, interval and seeds."""
    if not found.get("gain"):
        return t("runs.live.room_no_interval")
    gain = read_gain(found["gain"])
    written = Written.of(metric, gain)
    unit = f" {t('runs.verdict.points_word')}" if written.share else ""
    return t("runs.live.room_lead", lead=f"{written.cell(gain)}{unit}", n=gain.n)


def room_interval(found: Any, metric: str) -> text.Safe:
    """Write the teacher's lead over the student alone with its interval; above 0 the teacher is better."""
    if not found.get("gain"):
        return t("runs.live.room_no_interval")
    gain = read_gain(found["gain"])
    written = Written.of(metric, gain)
    return text.Safe(f"{written.signed_amount(gain.mean)}, {written.interval(gain)}")


def log(now: Any) -> None:
    """Draw the log as a code block, where nothing is markup."""
    st.code("\n".join(now.log) or str(t("runs.live.log_empty")), language=None, wrap_lines=True, height=260)
