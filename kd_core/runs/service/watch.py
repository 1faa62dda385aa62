"""What the supervisor knows of its worker and of the run in the worker's hands."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from kd_core.runs.store.events import utc_now


@dataclass
class Job:
    """The run in the worker's hands."""

    run_id: str
    stop_asked: float | None = None  # monotonic
    stop_noticed: float | None = None
    killed: bool = False
    frozen: bool = False  # a person ended its worker, which made no progress


@dataclass
class Watch:
    """What the supervisor knows; read by the status page under the same lock."""

    state: str = "starting"
    job: Job | None = None
    foreign: tuple[str, ...] = ()
    environment: dict[str, Any] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)
    restarts: int = 0
    failed_starts: int = 0
    errors: list[dict[str, str]] = field(default_factory=list)

    def __setattr__(self, name: str, value: Any) -> None:
        """A state that is left begins to count anew, wherever it is written."""
        if name == "state" and value != self.state:
            self.since = time.monotonic()
        super().__setattr__(name, value)

    def note(self, code: str, message: str) -> bool:
        """Remember an error for the status page; the last 20 are kept, the same one once. False when it was there."""
        if any(e["message"] == message for e in self.errors):
            return False
        self.errors = [*self.errors[-19:], {"utc": utc_now(), "code": code, "message": message}]
        return True
