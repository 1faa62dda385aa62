"""Events as sentences, for the log of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STATES = {
    "running": "The run has started.",
    "done": "The run is done.",
    "cancelled": "The run was stopped; what was finished is kept.",
    "interrupted": "The run was interrupted; it can be resumed.",
    "failed": "The run has failed.",
    "damaged": "The run's folder is damaged.",
}

WORTH_SECONDS, WORTH_SHARE = 10.0, 0.2  # of a run's time, from where on the teacher's part is told


def sentence(event: dict[str, Any]) -> str:
    """Say an event in one line; empty for epochs and readings, which the charts show."""
    kind = event.get("kind")
    if kind == "state":
        words = STATES.get(str(event.get("state")), f"State: {event.get('state')}.")
        return f"{words} {event['message']}" if event.get("message") else words
    if kind == "phase":
        if event.get("state") == "start":
            return f"Phase {event.get('phase')} begins."
        cached = " (taken from the cache)" if event.get("cached") else ""
        return f"Phase {event.get('phase')} took {_seconds(event.get('seconds'))}{cached}."
    if kind == "plan":
        cells = f" for {event['cells']} cells" if event.get("cells") else ""
        about = f", about {event['estimate_seconds']:.0f} s" if event.get("estimate_seconds") else ""
        if event.get("stages"):
            seeds = len(event.get("seeds") or ())
            return f"Plan: {event['stages']} stages of {seeds} seed{'s' if seeds != 1 else ''} {_where(event)}{about}."
        if event.get("minutes"):
            return f"Plan: chains are searched for {event['minutes']:g} minutes {_where(event)}{about}."
        first, most = event.get("round_epochs"), event.get("epochs")
        rounds = f" ({first}, and as many again while they still gain)" if first and first != most else ""
        if event.get("candidates"):
            cells = f", after choosing among {event['candidates']} candidates,"
        said = (
            f"Plan: {event.get('trainings')} trainings{cells} of at most {most} epochs{rounds} {_where(event)}{about}."
        )
        return f"{said}{_teacher(event)}"
    if kind == "seeds":
        return f"{event.get('added')} more seeds are needed for a narrower interval: {event.get('trainings')} trainings in all."
    if kind == "candidate":
        return _candidate(event)
    if kind == "chosen":
        alone = ", trained without a teacher" if event.get("arm") == "baseline" else ""
        return f"Chosen on validation: {event.get('student')}{alone}."
    if kind == "sweep":
        return f"{event.get('trainings')} trainings to do ({event.get('mode') or 'none'}). {event.get('why') or ''}".strip()
    if kind == "variant" and event.get("diverged"):  # the others are in the heat map
        return f"Training {event.get('training')} ({event.get('arm')} {event.get('student')}, seed {event.get('seed')}) diverged: {event['diverged']}"
    if kind == "trained":
        who = " ".join(str(p) for p in (event.get("arm"), event.get("student")) if p)
        part = f", fold {event['fold']}" if event.get("fold") is not None else ""
        chosen = event.get("selected_epoch")  # not every teacher is trained in epochs
        epochs = f"epoch {chosen} of {event.get('last_epoch')} chosen, " if chosen is not None else ""
        return f"Trained {who}, seed {event.get('seed')}{part}: {epochs}{_seconds(event.get('seconds'))}."
    if kind == "teacher":
        saved = f", {_seconds(event['seconds_saved'])} of training saved" if event.get("seconds_saved") else ""
        cached = f", taken from the cache{saved}" if event.get("cached") else ""
        return f"Teacher {event.get('name')} is ready{cached}."
    if kind == "warning":
        return f"Warning: {event.get('message')} {event.get('hint') or ''}".strip()
    if kind == "room":
        return "Teacher and baselines were compared on validation."
    return ""


def _where(event: dict[str, Any]) -> str:
    """Say where students and teacher learn, and what a GPU would take more."""
    students, teacher = event.get("device"), event.get("teacher_device")
    said = f"on {students}" + (f", the teacher on {teacher}" if teacher not in (None, students) else "")
    slower = event.get("gpu_slower_seconds")
    return f"{said} (all on the GPU would take about {slower:.0f} s more)" if slower else said


def _teacher(event: Mapping[str, Any]) -> str:
    """Say what the teacher takes of a run's time, and what bounds it; empty where that is not worth a word."""
    whole = float(event.get("estimate_seconds") or 0.0)
    own = sum(float(w["seconds"]) for w in event.get("work") or () if str(w["kind"]).split(":")[0] == "teacher")
    if own < max(WORTH_SECONDS, WORTH_SHARE * whole):
        return ""
    said, most, folds = (
        f" The teacher takes {own:.0f} s of it",
        event.get("teacher_epochs"),
        int(event.get("folds") or 0),
    )
    if not most:
        return f"{said}."
    fits = f" in each of {folds + 1} fits" if folds > 1 else ""
    return f"{said}: its epochs are its own, at most {most}{fits}; fewer are set by teacher.epochs."


LEFT_OUT = {
    "too_large": "left out before training, its file takes {bytes:,} bytes at least",
    "time_up": "left out, the time was up",
    "stopped": "left out, the run was stopped before",
    "failed": "left out: {reason}",
}


def left_out(why: Mapping[str, Any]) -> str:
    """Say why a candidate can't be chosen."""
    return LEFT_OUT[str(why["code"])].format(**why).rstrip(".")


def _candidate(event: dict[str, Any]) -> str:
    """Say what came of a candidate: its validation scores with and without the teacher, its bytes and time."""
    if event.get("left_out"):
        return f"Candidate {event['student']}: {left_out(event['left_out'])}."
    size = "no file" if event["bytes"] is None else f"{event['bytes'] / 1024:,.1f} KB"
    took = "" if event["microseconds"] is None else f", {event['microseconds']:.0f} us a row"
    alone = f" (alone {event['alone']:.4g})" if event.get("alone") is not None else ""
    if width := (event.get("changed") or {}).get("width"):
        took = f", {width} wide so that it fits{took}"
    if names := event.get("names"):
        took = f" with {names['bytes'] / 1024:,.1f} of {names['of_bytes'] / 1024:,.1f} KB of names{took}"
    return f"Candidate {event['student']}: {event['score']:.4g} on validation{alone}, {size}{took}; {_seconds(event['seconds'])}."


def _seconds(value: Any) -> str:
    return f"{value:.1f} s" if isinstance(value, int | float) else "unknown time"
