"""Carrying out one run in this process: locking, events, stopping, and an ending that is always written down."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import secrets
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from kd_core import safe_io
from kd_core.errors import KDError, Stopped
from kd_core.runs import pace
from kd_core.runs.pace import Meter
from kd_core.runs.service.disk import disk_full, is_full
from kd_core.runs.service.locks import LockFile
from kd_core.runs.store.events import Event, EventLog, utc_now
from kd_core.runs.store.folder import DAMAGED, RunFolder
from kd_core.runs.store.rows import RunError
from kd_core.specs import RunSpec
from kd_core.workspace import workspace

RunFunction = Callable[[RunSpec, RunFolder, Callable[[Event], None], Callable[[], bool]], dict[str, Any]]

_LOG = logging.getLogger("kd_workbench.runs")
RESERVE_BYTES = 256 * 1024  # given back when the disk is full, so that the ending can be written
RESOURCE_SECONDS = 2.0
TICK_SECONDS = 0.2


class StopSignal:
    """Asks a run to stop; called by the run between steps, True means stop now.

    `reason` is `cancel` (a person: keep the best so far), `shutdown` (the server goes: continue later) or `gone`
    (the folder was removed: there is nothing to keep it in); `noticed` says that the run has seen it.
    """

    def __init__(self, on_notice: Callable[[], None] | None = None) -> None:
        self.reason = ""
        self.noticed = False
        self._on_notice = on_notice

    def ask(self, reason: str) -> None:
        """Ask to stop; a person's wish is not overruled by a later shutdown, a folder that is gone by nothing."""
        if self.reason != "gone" and (self.reason != "cancel" or reason == "gone"):
            self.reason = reason

    def __call__(self) -> bool:
        if not self.reason:
            return False
        if not self.noticed:
            self.noticed = True
            if self._on_notice:
                self._on_notice()
        return True


@dataclass(frozen=True)
class Ending:
    """How a run ended; `renew` says that this process should not carry out another one."""

    state: str
    error: RunError | None = None
    renew: bool = False


class Execution:
    """One attempt at a run. `notify` is told each event as it happens, before it is written.

    Example: Execution(folder, experiment.run, StopSignal()).carry_out()
    """

    def __init__(
        self, folder: RunFolder, run: RunFunction, stop: StopSignal, notify: Callable[[Event], None] | None = None
    ) -> None:
        self.folder = folder
        self.stop = stop
        self._run = run
        self._notify = notify
        self._ending = threading.Lock()
        self._ended: Ending | None = None
        self._log: EventLog | None = None
        self._lock = LockFile(folder.lock_path)
        self._warned: set[tuple[Any, Any]] = set()
        self._meter = Meter()
        self._attempts = 0

    def carry_out(self) -> Ending:
        """Run to an end and return it. Errors: KDError `run_locked` when another process is at it."""
        self._lock.require(
            "Run {run_id} is being carried out by process {pid} on {host}.",
            "Wait for it to end.",
            "run_locked",
            run_id=self.folder.id,
        )
        with self._lock:
            return self._locked()

    def _locked(self) -> Ending:
        reserve = self.folder.path / "reserve"
        finished = threading.Event()
        result: dict[str, Any] | None = None
        ending: Ending | None = None
        try:
            status = self.folder.status()
            self._log = EventLog(self.folder.events_path)
            self._log.start()
            for stale in ("manifest.json", "result.json"):
                (self.folder.path / stale).unlink(missing_ok=True)
            reserve.unlink(missing_ok=True)
            with reserve.open("xb") as file:  # a new file: what a link of this name leads to is never written
                file.write(b"\0" * RESERVE_BYTES)
            for place in ("checkpoints", "artifacts"):
                safe_io.inside(self.folder.path, place)
            self._attempts = int(status.get("attempts", 0)) + 1
            self.folder.write_status(
                state="running",
                started_utc=status.get("started_utc") or utc_now(),
                ended_utc=None,
                error=None,
                attempts=self._attempts,
            )
            self.emit({"kind": "state", "state": "running"})
            self._log.flush()  # before anything can crash
            threading.Thread(target=self._tick, args=(finished,), name="run ticker", daemon=True).start()
            result = self._run(self.folder.spec(), self.folder, self.emit, self.stop)
        except Stopped:
            self.stop.noticed = True
        except BaseException as error:
            ending = self._explain(error)
            if not isinstance(error, Exception):
                finished.set()
                self.end(ending, None)
                raise
        finally:
            finished.set()
            with contextlib.suppress(NotADirectoryError):
                reserve.unlink(missing_ok=True)
        # Outside the except: its traceback would keep the tensors of the failed step alive (pytorch #18853).
        if ending is not None:
            _give_memory_back()
        found = self.end(ending or self._regular(), result)
        self._learn(found)
        return found

    def _learn(self, ending: Ending) -> None:
        """Remember how long a whole run took, for the estimates of later ones; a resumed run was only partly timed."""
        if ending.state != "done" or self._attempts != 1:
            return
        try:
            pace.learn(workspace(), self._meter.ratios())
        except OSError as error:  # the run is done; its times are not worth an error
            _LOG.warning("the times of run %s were not kept for later estimates: %s", self.folder.id, error)

    def _regular(self) -> Ending:
        if not self.stop.noticed:
            return Ending("done")
        return Ending("interrupted" if self.stop.reason == "shutdown" else "cancelled")

    def emit(self, event: Event) -> None:
        """Take an event of the run; a warning that was given before is dropped. Errors: Stopped at the next turning point once the run saw a shutdown."""
        if event.get("kind") == "warning":  # trainings of one run find the same; it is said once
            said = (event.get("code"), event.get("message"))
            if said in self._warned:
                return
            self._warned.add(said)
        self._meter.take(event)
        if self._log is not None:
            self._log.emit(event)
        if self._notify:
            self._notify(event)
        # A cancelled run goes on to evaluate what it has; one that is put down must not spend its seconds on that.
        aside = self.stop.noticed and self.stop.reason in ("shutdown", "gone")
        if aside and event.get("kind") in ("phase", "trained"):
            raise Stopped("The run is put down to be resumed later.")

    def end(self, ending: Ending, result: dict[str, Any] | None) -> Ending:
        """Write an ending down, once; whoever comes second gets the first one's ending.

        The order is result, last event, manifest, status: what a crash leaves is never more than it says.
        Nothing is written for a run whose folder was removed.
        """
        with self._ending:
            if self._ended is not None:
                return self._ended
            if self._lock.lost:
                self._ended = self._gone()
                return self._ended
            if result is not None and ending.state in ("done", "cancelled"):
                ending = self._try(ending, lambda: self.folder.write_result(result))
            self.emit({"kind": "state", "state": ending.state, **_said(ending)})
            seconds = self._log.seconds if self._log is not None else 0.0
            if self._log is not None:
                self._log.close()
            if result is not None and ending.state in ("done", "cancelled"):
                ending = self._try(ending, lambda: self.folder.finish(ending.state))
            if ending.state not in ("done", "cancelled"):
                with contextlib.suppress(OSError):  # a folder in its place; the state says that there is no result
                    (self.folder.path / "result.json").unlink(missing_ok=True)
            status = {"state": ending.state, "ended_utc": utc_now(), "seconds": round(seconds, 3)}
            status |= {"error": _said(ending) or None, "queue_number": None}
            ending = self._try(ending, lambda: self.folder.write_status(**status))
            self.folder.stop_path.unlink(missing_ok=True)
            self._ended = ending
            return ending

    def _gone(self) -> Ending:
        """End a run whose folder was removed or moved, and take away what was written into it since."""
        if self._log is not None:
            self._log.close()
        path = self.folder.path
        if path.is_dir() and not any((path / name).exists() for name in ("spec.json", "status.json", "lock")):
            shutil.rmtree(path, ignore_errors=True)
        said = RunError(
            "folder_gone",
            f"The folder of run {self.folder.id} is gone: it was removed or moved by hand.",
            "Put it back, or delete the run to take it from the list.",
            secrets.token_hex(4),
        )
        return Ending(DAMAGED, said)

    def _try(self, ending: Ending, write: Callable[[], Any]) -> Ending:
        try:
            write()
        except (OSError, ValueError, KDError) as error:  # the supervisor settles a run whose status stayed behind
            return self._explain(error)
        return ending

    def _tick(self, finished: threading.Event) -> None:
        process, last = psutil.Process(), float("-inf")
        while not finished.wait(TICK_SECONDS):
            if self._lock.lost:
                self.stop.ask("gone")
                return
            if self.folder.stop_path.exists():
                self.stop.ask("cancel")
            now = time.monotonic()
            if now - last >= RESOURCE_SECONDS:
                last = now
                rss = round(process.memory_info().rss / 2**20, 1)
                self.emit({"kind": "resources", "rss_mb": rss, "gpu_mb": _gpu_mb(), "cpu_s": _cpu_seconds(process)})

    def _explain(self, error: BaseException) -> Ending:
        """Turn an exception into words; the trace goes to the run's log only."""
        error_id = secrets.token_hex(4)
        self._keep_trace(error, error_id)
        if is_full(error):
            return Ending("interrupted", disk_full(self.folder.path.parent, error_id))
        if isinstance(error, KDError):
            return Ending("failed", RunError(error.code, error.message, error.hint, error_id))
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or _says_no_memory(error):
            return Ending("failed", _no_memory(error_id))
        if isinstance(error, RuntimeError) and "CUDA error" in str(error):
            return Ending("failed", _gpu_gone(error_id), renew=True)
        if not isinstance(error, Exception):
            return Ending("interrupted", RunError("interrupted", "The run was interrupted.", "Resume it.", error_id))
        message = f"Something unexpected went wrong ({type(error).__name__})."
        hint = f"Open the log of the run; the trace is under error id {error_id}."
        return Ending("failed", RunError("unexpected", message, hint, error_id))

    def _keep_trace(self, error: BaseException, error_id: str) -> None:
        text = "".join(traceback.format_exception(error))
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(self.folder.path / "log.txt", flags, 0o600), "a", encoding="utf-8") as file:
                file.write(f"{utc_now()} error {error_id}\n{text}\n")
        except OSError as second:  # a full disk: the trace goes to the worker's own log instead
            with contextlib.suppress(OSError):  # which may lie on the same disk
                print(f"error {error_id}, not written to {self.folder.id}/log.txt ({second})\n{text}", file=sys.stderr)


def _said(ending: Ending) -> dict[str, str]:
    return asdict(ending.error) if ending.error else {}


def _cpu_seconds(process: psutil.Process) -> float | None:
    """Sum the processor time of this process and its children: grows while work is done, whatever kind of work."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            times = one.cpu_times()
            total += times.user + times.system
    return round(total, 2)


def _says_no_memory(error: BaseException) -> bool:
    return isinstance(error, RuntimeError) and (
        "not enough memory" in str(error) or "can't allocate memory" in str(error)
    )


def _no_memory(error_id: str) -> RunError:
    peak = psutil.Process().memory_info().rss / 2**20
    free = psutil.virtual_memory().available / 2**20
    return RunError(
        "out_of_memory",
        f"The memory did not suffice: the worker held {peak:,.0f} MB, {free:,.0f} MB were free.",
        "Choose a smaller batch, a smaller teacher or fewer rows, then start again.",
        error_id,
    )


def _gpu_gone(error_id: str) -> RunError:
    return RunError(
        "gpu_error", "The GPU stopped answering.", "Resume the run; choose device 'cpu' if it happens again.", error_id
    )


def _gpu_mb() -> float | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    return float(round(torch.cuda.memory_reserved() / 2**20, 1))


def _give_memory_back() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
