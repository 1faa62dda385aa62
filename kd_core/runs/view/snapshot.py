"""What a page shows of a run right now, read piece by piece from its events."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

from kd_core import limits
from kd_core.runs.pace import CHOOSING
from kd_core.runs.service.pulse import Pulse
from kd_core.runs.store.events import Event, EventReader, unreadable
from kd_core.runs.store.folder import ACTIVE, RunFolder
from kd_core.runs.store.rows import RunError, check_status
from kd_core.runs.view.curves import Curve, Line
from kd_core.runs.view.progress import Outlook, Progress
from kd_core.runs.view.sweep_progress import SweepProgress, SweepView
from kd_core.runs.view.wording import sentence
from kd_core.specs import RunSpec

KEPT_RUNS = 32  # runs whose parsed events stay in memory
LOG_LINES = 200
WORKING = ("starting", "running", "cancelling")


@dataclass(frozen=True)
class Phase:
    """One phase: `state` is waiting, running, done or stopped; `progress` runs from 0 to 1.

    `units_done` of `units` are finished: fits of the teacher, trainings, parts; 0 of 0 where the phase has none.
    """

    name: str
    state: str
    seconds: float | None
    progress: float
    cached: bool = False
    units_done: int = 0
    units: int = 0


@dataclass(frozen=True)
class Snapshot:
    """Everything a live page shows. Seconds are counted while the run was worked on, over all its attempts.

    `teacher`, `plan` and `resources` hold the latest events of these kinds; `room` one row per student with
    `student`, `teacher`, `baseline` (validation scores) and `room` (true or false). `sweep` is there for a what-if
    once its plan is known; it has no learning curves but the teacher's. `chosen` names the student that was chosen for goals, `chosen_alone`: without a teacher. `outlook` tells finished units and the
    seconds left; `progress` is the share of finished work, never of time. `silent_s` counts from the last sign of work
    of a run that is in a worker's hands: an event of the training, or processor time used; above
    `limits.SILENT_SECONDS` its worker may be frozen. `stages`: what was made of a student that is made smaller, by seed;
    `tried`: chains of a search for it.
    """

    run_id: str
    name: str
    state: str
    spec: RunSpec
    created_utc: str | None
    started_utc: str | None
    ended_utc: str | None
    elapsed_s: float
    eta_s: float | None
    progress: float
    phases: tuple[Phase, ...]
    curves: tuple[Curve, ...]
    warnings: tuple[Event, ...]
    plan: Event | None
    teacher: Event | None
    room: tuple[Event, ...]
    resources: Event | None
    rows_per_s: float | None
    trainings_done: int
    trainings: int | None
    error: RunError | None
    position: int | None
    log: tuple[str, ...]
    attempts: int
    sweep: SweepProgress | None = None
    outlook: Outlook = field(default_factory=Outlook)
    chosen: str | None = None
    chosen_alone: bool = False
    silent_s: float = 0.0
    stages: tuple[Event, ...] = ()
    tried: tuple[Event, ...] = ()

    def at_place(self, position: int | None) -> Snapshot:
        """Return the same snapshot with a place in the queue."""
        return self if position == self.position else replace(self, position=position)


class RunView:
    """A run's events, parsed once and kept up to date; safe for several viewers."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._reader = EventReader(folder.events_path)
        self._lock = threading.Lock()
        self._spec = folder.spec()
        self._last: tuple[Any, Snapshot] | None = None
        self._read_at = time.monotonic()
        self._t = 0.0
        self._progress = Progress()
        self._lines: dict[tuple[Any, ...], Line] = {}
        self._phases: dict[str, dict[str, Any]] = {}
        self._plan: Event | None = None
        self._teacher: Event | None = None
        self._resources: Event | None = None
        self._warnings: list[Event] = []
        self._room: list[Event] = []
        self._stages: dict[tuple[Any, ...], Event] = {}
        self._tried: dict[str, Event] = {}
        self._log: list[str] = []
        self._done: set[tuple[Any, ...]] = set()
        self._of: int | None = None
        self._rows_per_s: float | None = None
        self._sweep: SweepView | None = None
        self._chosen: str | None = None
        self._chosen_alone = False
        self._fresh = True  # a new attempt says its plan and its warnings again
        self._pulse = Pulse()

    def fits(self) -> bool:
        """Say whether the folder still holds the events that were read (it may have been deleted or replaced)."""
        try:
            return self.folder.events_path.stat().st_size >= self._reader.offset
        except FileNotFoundError:
            return self._reader.offset == 0 and self.folder.path.is_dir()

    def snapshot(self, max_points: int) -> Snapshot:
        """Read what is new and describe the run; without its curves where `max_points` is 0."""
        with self._lock:
            status = self.folder.status()
            if status:
                check_status(self.folder, status)
            self._pulse.see_state(str(status.get("state")))
            fresh = self._reader.read()
            if fresh:
                self._read_at = time.monotonic()
                for event in fresh:
                    self._follow(event)
                self._pulse.read()
            state = str(status.get("state", "interrupted"))
            key = (self._reader.offset, max_points, tuple(sorted((k, repr(v)) for k, v in status.items())))
            if self._last is not None and self._last[0] == key and state not in WORKING:
                return self._last[1]
            made = self._make(status, state, max_points)
            self._last = (key, made)
            return made

    def _follow(self, event: Event) -> None:
        """Take an event. Errors: KDError `events_damaged` for one that lacks what its kind has."""
        try:
            self._pulse.take(event)
            self._take(event)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise unreadable(
                f"Event {event['n']} of {self.folder.events_path.name} ({event.get('kind')!s:.20})"
            ) from error

    def _take(self, event: Event) -> None:
        self._t = max(self._t, float(event.get("t", 0.0)))
        self._progress.take(event, self._t)
        kind = event.get("kind")
        if kind == "epoch":
            key = _key(event)
            line = self._lines.get(key)
            if line is None:
                line = self._lines[key] = Line(*key)
            line.add(event)
            self._done.discard(key)
            self._rows_per_s = event.get("rows_per_s") or self._rows_per_s
            return
        if kind == "resources":
            self._resources = event
        elif kind == "phase":
            self._take_phase(event)
        elif kind == "trained":
            key = _key(event)
            if not event.get(CHOOSING):
                self._done.add(key)
            if event.get("arm") != "teacher" and not event.get(CHOOSING):  # a teacher's fits are counted by themselves
                self._of = event.get("of") or self._of
            if key in self._lines:
                self._lines[key].done = True
                self._lines[key].best_epoch = event.get("selected_epoch") or self._lines[key].best_epoch
        elif kind == "state" and event.get("state") == "running":
            self._fresh = True
        elif kind == "plan":
            self._of = event.get("trainings") or self._of
            if self._fresh or self._plan is None:
                self._room, self._warnings, self._fresh = [], [], False
                self._stages, self._tried = {}, {}
            self._plan = event
            self._sweep = SweepView(event) if event.get("grid") else None
        elif kind in ("sweep", "scores", "variant") and self._sweep is not None:
            self._sweep.take(event)
        elif kind == "seeds":
            self._of = event["trainings"]
        elif kind == "warning":
            self._warnings.append(event)
        elif kind == "teacher":
            self._teacher = event
        elif kind == "stage":
            self._stages[event["name"], event["seed"], event.get("side")] = event
        elif kind == "tried":
            self._tried[str(event["name"])] = event
        elif kind == "chosen":
            self._chosen, self._chosen_alone = str(event["student"]), event.get("arm") == "baseline"
        elif kind == "room":
            self._room.extend(event.get("students") or [event])
        words = sentence(event)
        if words:
            self._log.append(f"{str(event.get('utc', ''))[11:19]} {words}")
            del self._log[: -2 * LOG_LINES or None]

    def _take_phase(self, event: Event) -> None:
        name = str(event["phase"])
        if event.get("state") == "start":
            self._phases[name] = {"state": "running", "since": float(event["t"])}
        else:
            found = self._phases.setdefault(name, {})
            found |= {"state": "done", "seconds": event.get("seconds"), "cached": bool(event.get("cached"))}

    def _make(self, status: dict[str, Any], state: str, max_points: int) -> Snapshot:
        working = state in ("running", "cancelling")
        elapsed = self._t + (time.monotonic() - self._read_at if working else 0.0)
        if not working and status.get("seconds") is not None:
            elapsed = float(status["seconds"])
        if self._reader.offset == 0 and not working:
            elapsed = 0.0
        phases = self._describe_phases(state, elapsed)
        outlook = self._progress.outlook(elapsed)
        error = status.get("error")
        return Snapshot(
            run_id=self.folder.id,
            name=self._spec.name or self._spec.dataset.name or self.folder.id,
            state=state,
            spec=self._spec,
            created_utc=status.get("created_utc"),
            started_utc=status.get("started_utc"),
            ended_utc=status.get("ended_utc"),
            elapsed_s=elapsed,
            eta_s=outlook.left_s if state == "running" else None,
            progress=1.0 if state == "done" else outlook.share,
            phases=phases,
            curves=tuple(line.curve(max_points) for line in self._lines.values()) if max_points else (),
            warnings=tuple(self._warnings),
            plan=self._plan,
            teacher=self._teacher,
            room=tuple(self._room),
            resources=self._resources,
            rows_per_s=self._rows_per_s,
            trainings_done=self._count_done(),
            trainings=self._of or (self._plan or {}).get("trainings"),
            error=RunError(**error) if error else None,
            position=None,
            log=tuple(self._log[-LOG_LINES:]),
            attempts=int(status.get("attempts") or 0),
            sweep=self._sweep.progress() if self._sweep else None,
            outlook=outlook,
            chosen=self._chosen,
            chosen_alone=self._chosen_alone,
            silent_s=self._pulse.silent_s if state in WORKING else 0.0,
            stages=tuple(self._stages.values()),
            tried=tuple(self._tried.values()),
        )

    def _count_done(self) -> int:
        return self._sweep.done if self._sweep else sum(k[0] != "teacher" for k in self._done)

    def _describe_phases(self, state: str, elapsed: float) -> tuple[Phase, ...]:
        names = (self._plan or {}).get("phases") or ()  # before the plan nobody knows which there will be
        names = [*names, *(n for n in self._phases if n not in names)]
        found = []
        for name in names:
            known = self._phases.get(name)
            if known is None:
                found.append(Phase(name, "waiting", None, 0.0))
            elif known["state"] == "done":
                found.append(Phase(name, "done", known.get("seconds"), 1.0, known.get("cached", False)))
            else:
                running = "running" if state in ACTIVE else "stopped"
                share, done, of = self._progress.share(name)
                found.append(Phase(name, running, max(0.0, elapsed - known["since"]), share, units_done=done, units=of))
        return tuple(found)


def _key(event: Event) -> tuple[Any, ...]:
    return (str(event.get("arm")), event.get("student"), event.get("seed"), event.get("fold"))


_views: OrderedDict[str, RunView] = OrderedDict()
_views_lock = threading.Lock()


def snapshot(folder: RunFolder, max_points: int = limits.CURVE_POINTS) -> Snapshot:
    """Describe a run; the parsed events of the runs asked for last stay in memory. `max_points` 0 leaves its curves out.

    Errors: KDError `events_damaged`; what `RunFolder.spec` and `.status` raise.
    """
    key = str(folder.path)
    with _views_lock:
        view = _views.get(key)
        if view is None or not view.fits():
            view = _views[key] = RunView(folder)
        _views.move_to_end(key)
        while len(_views) > KEPT_RUNS:
            _views.popitem(last=False)
    return view.snapshot(max_points)
