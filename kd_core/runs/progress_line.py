"""One line for a terminal: how many trainings are done, and the best cell of a what-if so far."""

from __future__ import annotations

from kd_core.evaluate import METRICS
from kd_core.runs import grid
from kd_core.runs.events import Event
from kd_core.runs.report import setting
from kd_core.runs.sweep_progress import SweepView

WIDTH = 24


class ProgressLine:
    """Follows a run by its events."""

    def __init__(self) -> None:
        self._view: SweepView | None = None
        self._share = False

    def take(self, event: Event) -> None:
        """Take note of an event."""
        if event["kind"] == "plan":
            self._view = SweepView(event) if event.get("grid") else None
            self._share = METRICS.get(event["metric"]).facts["unit"] == "share"
        elif event["kind"] in ("sweep", "scores", "variant") and self._view is not None:
            self._view.take(event)

    def text(self, event: Event) -> str:
        """Draw the line after a `trained`, `scores` or `variant` event."""
        if event["kind"] == "trained":
            return _bar(event["done"], event["done"], event["of"], f"{event['arm']} {event['student'] or 'teacher'}")
        assert self._view is not None
        return _bar(self._view.units(), self._view.done, self._view.trainings, self._best(self._view))

    def _best(self, view: SweepView) -> str:
        progress = view.progress()
        cell = progress.best_cell
        if cell is None:
            return "nothing to compare yet"
        axes = {n: sorted({c[n] for c in progress.cells if c[n] is not None}) for n in grid.AXES}
        gain = (100 if self._share else 1) * cell["gain"]["mean"]
        return f"best so far: {setting(cell, axes)}, {gain:+.2f}{' points' if self._share else ''}"


def _bar(units: float, done: int, of: int, said: str) -> str:
    return f"[{'#' * int(WIDTH * units / of):<{WIDTH}}] {done}/{of} {said}"
