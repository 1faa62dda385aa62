"""One line for a terminal: how many units are done, and the best cell of a what-if so far."""

from __future__ import annotations

import time
from collections.abc import Callable

from kd_core.evaluate import METRICS
from kd_core.runs.outcome import varied
from kd_core.runs.settings import reading, whole
from kd_core.runs.store.events import Event
from kd_core.runs.view.progress import Progress
from kd_core.runs.view.report import setting
from kd_core.runs.view.sweep_progress import SweepView
from kd_core.specs import RunSpec

WIDTH = 24
SHOWN = ("trained", "part", "scores", "variant")  # events after which the line is drawn anew


class ProgressLine:
    """Follows a run by its recipe and its events."""

    def __init__(self, spec: RunSpec, clock: Callable[[], float] = time.monotonic) -> None:
        self._spec = spec
        self._view: SweepView | None = None
        self._metric = ""
        self._progress = Progress()
        self._clock, self._start = clock, clock()
        self._said = False

    def take(self, event: Event) -> None:
        """Take note of an event."""
        self._progress.take(event, self._clock() - self._start)
        if event["kind"] == "plan":
            self._view = SweepView(event) if event.get("grid") else None
            self._metric = str(event["metric"])
        elif event["kind"] in ("sweep", "scores", "variant") and self._view is not None:
            self._view.take(event)

    def correction(self) -> str | None:
        """Say once that the run takes longer than was said at its start, and how much longer; else None."""
        outlook = self._progress.outlook(self._clock() - self._start)
        if self._said or not outlook.late or not outlook.left_s:
            return None
        self._said = True
        return f"took longer than thought: about {outlook.left_s:.0f} s more"

    def text(self, event: Event) -> str:
        """Draw the line after an event of a kind in `SHOWN`."""
        if event["kind"] == "part":
            return _bar(event["done"], event["done"], event["of"], f"{event['phase']} {event.get('what', '')}".strip())
        if event["kind"] == "trained":
            who = "teacher" if event["arm"] == "teacher" else f"{event['arm']} {event['student']}"
            return _bar(event["done"], event["done"], event["of"], who)
        assert self._view is not None
        return _bar(self._view.units(), self._view.done, self._view.trainings, self._best(self._view))

    def _best(self, view: SweepView) -> str:
        """Name the cell that the live page names, with its gain over the seeds that have ended in every cell."""
        cells = view.progress().cells
        number = reading.best_so_far(cells, self._spec, self._metric, active=True)
        held = whole.held(cells, reading.judge_of(self._metric).better)
        cell = next((c for c in held if c["cell"] == number), None)
        if cell is None or cell["gain"]["mean"] is None:
            return "nothing to compare yet"
        share = METRICS.get(self._metric).facts["unit"] == "share"
        gain = (100 if share else 1) * cell["gain"]["mean"]
        return f"best so far: {setting(cell, varied(cells))}, {gain:+.2f}{' points' if share else ''}"


def _bar(units: float, done: int, of: int, said: str) -> str:
    return f"[{'#' * int(WIDTH * units / of):<{WIDTH}}] {done}/{of} {said}"
