"""The hands of the job service: a warm worker process, or a thread that does the same for tests."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import kd_core
from kd_core.errors import KDError
from kd_core.runs.service.execution import Execution, RunFunction, StopSignal
from kd_core.runs.service.worker import environment
from kd_core.runs.store.folder import RunFolder

log = logging.getLogger(__name__)
Message = dict[str, Any]
LOG_BYTES = 5 * 2**20  # a larger worker.log is put aside at the next start


class Hands(Protocol):
    """Carries out one run at a time and reports by messages: ready, started, stopping, ended, refused, gone."""

    @property
    def pid(self) -> int | None: ...
    def run(self, folder: RunFolder) -> None: ...
    def stop(self, run_id: str) -> None: ...
    def close(self, seconds: float) -> None: ...
    def kill(self) -> None: ...


class WorkerProcess:
    """A worker process; `gone` is the last message, with its exit status (negative: the signal)."""

    def __init__(self, command: list[str], root: Path, report: Callable[[Message], None]) -> None:
        self._report = report
        code = str(Path(kd_core.__file__).resolve().parent.parent)
        path = os.pathsep.join(p for p in (code, os.environ.get("PYTHONPATH", "")) if p)
        log = root / "worker.log"
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(root / "worker.log.1")
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                errors="replace",
                umask=0o077,
                env={**os.environ, "PYTHONPATH": path, "KD_WORKSPACE": str(root)},
            )
        threading.Thread(target=self._listen, name="worker answers", daemon=True).start()

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                message = json.loads(line)
                if not isinstance(message, dict) or "say" not in message:
                    raise ValueError("no message")
            except (ValueError, RecursionError):
                message = {"say": "noise", "text": line[:200]}
            self._report(message)
        self._process.stdout.close()
        self._close_input()
        self._report({"say": "gone", "pid": self.pid, "status": self._process.wait()})

    def _close_input(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._process.stdin.close()

    def _send(self, **command: Any) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):  # a dead worker is reported by `gone`
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()

    def run(self, folder: RunFolder) -> None:
        """Start a run."""
        self._send(do="run", path=str(folder.path))

    def stop(self, run_id: str) -> None:
        """Ask the run to stop and keep what it has."""
        self._send(do="stop", run_id=run_id)

    def close(self, seconds: float) -> None:
        """Ask the worker to put its run down and leave; kill it when it doesn't within the time."""
        self._close_input()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait(seconds)

    def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)


class WorkerThread:
    """The same work in a thread of the server: for tests and machines that can't start processes."""

    def __init__(self, run: RunFunction | None, report: Callable[[Message], None]) -> None:
        self._run = run
        self._report = report
        self._jobs: queue.SimpleQueue[RunFolder | None] = queue.SimpleQueue()
        self._stop = StopSignal()
        self._current: str | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="worker", daemon=True)
        self._thread.start()

    pid = None

    def _work(self) -> None:
        if self._run is None:
            from kd_core.runs.experiment import run  # loads torch

            self._run = run
        self._report({"say": "ready", "pid": None, "environment": environment()})
        while (folder := self._jobs.get()) is not None:
            run_id = self._current = folder.id
            stop = self._stop = StopSignal(lambda i=run_id: self._report({"say": "stopping", "run_id": i}))  # type: ignore[misc]
            if self._closing:
                stop.ask("shutdown")
            try:
                ending = Execution(folder, self._run, stop, self._hear).carry_out()
                said = asdict(ending.error) if ending.error else None
                self._report({"say": "ended", "run_id": run_id, "state": ending.state, "error": said, "renew": False})
            except KDError as error:
                said = {"code": error.code, "message": error.message, "hint": error.hint}
                self._report({"say": "refused", "run_id": run_id, **said})
            except BaseException as error:  # such as SystemExit: the thread must take the next run
                log.exception("run %s ended its thread", run_id)
                said = {
                    "code": "unexpected",
                    "message": f"The run ended its worker ({type(error).__name__}).",
                    "hint": "",
                }
                self._report({"say": "ended", "run_id": run_id, "state": "interrupted", "error": said, "renew": False})
            self._current = None

    def _hear(self, event: Message) -> None:
        if event.get("kind") == "state" and event["state"] == "running":
            self._report({"say": "started"})

    def run(self, folder: RunFolder) -> None:
        """Start a run."""
        self._jobs.put(folder)

    def stop(self, run_id: str) -> None:
        """Ask the run to stop and keep what it has."""
        if self._current == run_id:
            self._stop.ask("cancel")

    def close(self, seconds: float) -> None:
        """Ask the thread to put its run down and end; wait at most the given time."""
        self._closing = True
        self._stop.ask("shutdown")
        self._jobs.put(None)
        end = time.monotonic() + seconds
        while self._thread.is_alive() and time.monotonic() < end:
            self._thread.join(0.05)

    def kill(self) -> None:
        """A thread can't be killed; it puts the run down when that next looks at its stop signal."""
        self._stop.ask("shutdown")


def command() -> list[str]:
    """Return the command line of a worker."""
    return [sys.executable, "-m", "kd_core.runs.service.worker"]
