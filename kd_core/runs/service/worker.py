"""The worker process: warm, driven by lines of JSON on its input, gone when its input ends.

Run as `python -m kd_core.runs.service.worker` by the job service. Answers go to a copy of the original standard output,
so that a stray print of a library can't be mistaken for one.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import queue
import signal
import sys
import threading
from dataclasses import asdict
from typing import Any, TextIO

from kd_core import limits
from kd_core.errors import KDError
from kd_core.machine.streams import own_streams
from kd_core.runs.service.execution import Ending, Execution, RunFunction, StopSignal
from kd_core.runs.store.events import Event
from kd_core.runs.store.folder import RunFolder

NICE = 5  # the training gives way to pages that are being drawn; it has every core as long as nobody looks
SHUTDOWN_SECONDS = 0.8 * limits.KILL_GRACE_SECONDS  # to write a checkpoint once the server is gone


class Worker:
    """Takes jobs from one stream and answers on another; one run at a time."""

    def __init__(self, commands: TextIO, answers: TextIO, run: RunFunction | None = None) -> None:
        self._commands = commands
        self._answers = answers
        self._run = run
        self._jobs: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._saying = threading.Lock()
        self._current: Execution | None = None
        self._leaving = threading.Event()

    def serve(self) -> int:
        """Work until the input ends or a run asks for a fresh process; returns the exit status."""
        threading.Thread(target=self._listen, name="commands", daemon=True).start()
        if self._run is None:
            self._run = _experiment()
        self.say("ready", pid=os.getpid(), environment=environment())
        gc.collect()
        gc.freeze()  # the libraries stay; no later collection walks through them again
        while (path := self._jobs.get()) is not None:
            if self._carry_out(RunFolder(path)).renew:
                break
        return 0

    def say(self, kind: str, **values: Any) -> None:
        """Send one line to the server; a server that is gone is no reason to fail."""
        with self._saying, contextlib.suppress(BrokenPipeError, ValueError):
            self._answers.write(json.dumps({"say": kind, **values}) + "\n")
            self._answers.flush()

    def _carry_out(self, folder: RunFolder) -> Ending:
        assert self._run is not None
        stop = StopSignal(on_notice=lambda: self.say("stopping", run_id=folder.id))
        self._current = execution = Execution(folder, self._run, stop, self._hear)
        if self._leaving.is_set():
            stop.ask("shutdown")
        try:
            ending = execution.carry_out()
        except KDError as error:  # the run is locked by another process: nothing was touched
            self.say("refused", run_id=folder.id, code=error.code, message=error.message, hint=error.hint)
            return Ending("refused")
        finally:
            self._current = None
        said = asdict(ending.error) if ending.error else None
        self.say("ended", run_id=folder.id, state=ending.state, error=said, renew=ending.renew)
        return ending

    def _hear(self, event: Event) -> None:
        """Tell the server that the run's state has been written down as running."""
        if event.get("kind") == "state" and event["state"] == "running":
            self.say("started")

    def _listen(self) -> None:
        for line in self._commands:
            try:
                command = json.loads(line)
            except ValueError:
                print(f"unreadable command: {line!r}", file=sys.stderr)
                continue
            if command["do"] == "run":
                self._jobs.put(command["path"])
            elif command["do"] == "stop" and (now := self._current) and now.folder.id == command["run_id"]:
                now.stop.ask("cancel")
        self.leave()

    def leave(self) -> None:
        """Ask the current run to stop for now, and end the process when it doesn't in time."""
        if self._leaving.is_set():
            return
        self._leaving.set()
        self._jobs.put(None)
        threading.Thread(target=self._last_resort, name="last resort", daemon=True).start()

    def _last_resort(self) -> None:
        execution = self._current
        if execution is not None:
            execution.stop.ask("shutdown")
            threading.Event().wait(SHUTDOWN_SECONDS)
            if self._current is execution:
                with contextlib.suppress(OSError):
                    execution.end(Ending("interrupted"), None)
        os._exit(0)


def _experiment() -> RunFunction:
    from kd_core.runs.experiment import run  # loads torch and everything else; seconds, once per process

    return run


def environment() -> dict[str, Any]:
    """Describe the machine as torch sees it, after a first small step; empty while torch is not loaded."""
    if "torch" not in sys.modules:
        return {}
    import torch

    from kd_core.machine import device

    layer = torch.nn.Linear(8, 2)  # the first step of a process costs 100 ms more: pay before anybody waits
    optimiser = torch.optim.AdamW(layer.parameters(), fused=True)
    torch.nn.functional.cross_entropy(layer(torch.randn(8, 8)), torch.zeros(8, dtype=torch.long)).backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    return device.environment()


def serve(run: RunFunction | None = None) -> int:
    """Be a worker on this process's own streams. Without `run`, runs are experiments."""
    commands, answers = own_streams(expendable=500)  # the kernel should take the worker, never the server
    if hasattr(os, "nice"):  # not on Windows
        os.nice(NICE)
    worker = Worker(commands, answers, run)
    signal.signal(signal.SIGTERM, lambda number, frame: worker.leave())
    return worker.serve()


if __name__ == "__main__":
    sys.exit(serve())
