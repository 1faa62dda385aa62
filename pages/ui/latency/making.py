"""The measurement in the making: one at a time, in a process of its own, since two would time each other."""

from __future__ import annotations

import threading

from kd_core.errors import KDError
from kd_core.runs.timing.asked import LatencySpec
from kd_core.runs.timing.job import Job

_lock = threading.Lock()
_last: list[Job] = []


def start(asked: LatencySpec) -> None:
    """Begin to measure. Errors: KDError `latency_busy` where something is being measured."""
    with _lock:
        if _last and _last[0].busy:
            raise KDError(
                "Another measurement is in the making; two at once would time each other.",
                "Wait until it has ended, or stop it.",
                "latency_busy",
            )
        _last[:] = [Job(asked)]


def last() -> Job | None:
    """Return the measurement that was begun last, None where none was since the server started."""
    return _last[0] if _last else None
