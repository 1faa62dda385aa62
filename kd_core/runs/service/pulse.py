"""When a run last showed a sign of work, so that a frozen worker is noticed."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime

from kd_core import limits
from kd_core.runs.store.events import Event


class Pulse:
    """Follows a run's events. A sign of work is an event of the run itself, or processor time used since the last reading.

    That a reading came (its thread lives) is no sign of work: a deadlock writes readings too.
    """

    def __init__(self) -> None:
        self._state, self._first = "", True
        self._worked = time.monotonic()
        self._last_work: Event | None = None
        self._reading: Event | None = None

    @property
    def silent_s(self) -> float:
        """Return the seconds since the last sign of work."""
        return max(0.0, time.monotonic() - self._worked)

    def see_state(self, state: str) -> None:
        """Take a change of the run's state as a sign of work."""
        if state != self._state:
            self._state, self._worked = state, time.monotonic()

    def take(self, event: Event) -> None:
        """Remember an event if it shows work."""
        if event.get("kind") != "resources" or self._used_processor(event):
            self._last_work = event
        if event.get("kind") == "resources":
            self._reading = event

    def _used_processor(self, event: Event) -> bool:
        before = self._reading or {}
        if event.get("cpu_s") is None or before.get("cpu_s") is None:
            return True  # the first reading, or one of an older version: nothing to compare
        passed = max(float(event["t"]) - float(before["t"]), 1e-3)
        return (float(event["cpu_s"]) - float(before["cpu_s"])) / passed >= limits.WORK_SHARE

    def read(self) -> None:
        """Say that what was written until now has been taken; how old it is, its own time tells."""
        if self._last_work is None:
            return
        age = 0.0
        with contextlib.suppress(
            ValueError, TypeError
        ):  # an event without a time that can be read is as old as its reading
            written = datetime.fromisoformat(str(self._last_work.get("utc")))
            age = (datetime.now(UTC) - written).total_seconds()
        worked, self._last_work = time.monotonic() - max(0.0, age), None
        if self._first and self._state != "starting":  # events of an earlier attempt say nothing about a new one
            self._worked = worked
        self._first, self._worked = False, max(self._worked, worked)
