"""A session in a process of its own: whoever waits for it looks at its progress now and then, and may end it.

A page must not time anything in its own process, where every visitor's work lies between two calls.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import kd_core
from kd_core.errors import KDError, Stopped
from kd_core.runs.timing.asked import LatencySpec
from kd_core.workspace import workspace

OPENING_SECONDS = 900.0  # that opening models, a teacher trained again among them, may take beside the rounds
_SHOWN = 300  # letters of what a process said


class Job:
    """One measurement in the making. `progress`: the last event; `found`: the session, once it is there; `error`: why there is none."""

    def __init__(self, asked: LatencySpec) -> None:
        self.asked = asked
        self.progress: Mapping[str, Any] = {}
        self.found: dict[str, Any] | None = None
        self.error: KDError | None = None
        self.stopped = False
        self.since = time.monotonic()
        code = str(Path(kd_core.__file__).resolve().parent.parent)
        path = os.pathsep.join(p for p in (code, os.environ.get("PYTHONPATH", "")) if p)
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "PYTHONPATH": path, "KD_WORKSPACE": str(workspace())},
        )
        self._late = threading.Timer(OPENING_SECONDS + 2 * asked.seconds, self._process.kill)
        self._late.daemon = True
        self._late.start()
        self._listener = threading.Thread(target=self._listen, name="latency", daemon=True)
        self._listener.start()

    @property
    def busy(self) -> bool:
        """Say whether it is still in the making."""
        return self._listener.is_alive()

    @property
    def seconds(self) -> float:
        """Return how long ago it began."""
        return time.monotonic() - self.since

    def stop(self) -> None:
        """End it; nothing of it is kept."""
        self.stopped = True
        self._process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait for its end."""
        self._listener.join(seconds)

    def _listen(self) -> None:
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(self.asked.to_json() + "\n")
            process.stdin.close()
        except OSError:
            pass  # it ended at once: told below
        with process:
            for line in process.stdout:
                self._hear(line)
        status = process.returncode
        self._late.cancel()
        if self.found is None and self.error is None and not self.stopped:
            self.error = KDError(
                "The measurement ended without a result (status {status}).",
                "Try again with fewer models or smaller batches: the machine may have run out of memory or time.",
                "latency_gone",
                status=status,
            )

    def _hear(self, line: str) -> None:
        try:
            said = json.loads(line)
            kind = said["kind"]
        except (ValueError, TypeError, KeyError):
            return  # what a library printed
        if kind == "latency":
            self.progress = said
        elif kind == "found":
            self.found = said["found"]
        elif kind == "failed":
            self.error = KDError(str(said["message"])[:_SHOWN], str(said["hint"])[:_SHOWN], str(said["code"]))


def carry_out(asked: LatencySpec, notify: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Measure, and keep the session beside its runs. Errors: as `session.measure`; OSError."""
    from kd_core.runs.continuing.earlier import find
    from kd_core.runs.timing.kept import keep
    from kd_core.runs.timing.session import measure

    found = measure(asked, notify)
    keep(found, map(find, asked.runs))
    return found


def main() -> None:
    """Read what is asked from the first line, tell events as lines, and the session as the last."""

    def say(event: Mapping[str, Any]) -> None:
        print(json.dumps(event), flush=True)

    try:
        say({"kind": "found", "found": carry_out(LatencySpec.from_json(sys.stdin.readline()), say)})
    except KDError as error:
        say({"kind": "failed", "message": error.message, "hint": error.hint, "code": error.code})
    except OSError as error:
        why = error.strerror or str(error)
        say(
            {
                "kind": "failed",
                "message": f"The session could not be kept: {why}.",
                "hint": "Free some space.",
                "code": "latency_kept",
            }
        )
    except Stopped:
        sys.exit(1)


if __name__ == "__main__":
    main()
