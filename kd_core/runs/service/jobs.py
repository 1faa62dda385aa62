"""The job service: a queue of runs that outlives browsers, pages and servers."""

from __future__ import annotations

import os
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from kd_core import limits
from kd_core.errors import KDError
from kd_core.machine.processor import cores
from kd_core.runs.service.locks import LockFile
from kd_core.runs.service.process import Hands, Message, WorkerProcess, WorkerThread, command
from kd_core.runs.service.recover import end
from kd_core.runs.service.supervisor import Supervisor
from kd_core.runs.settings.added import Added
from kd_core.runs.store.folder import ACTIVE
from kd_core.runs.store.runs import RunStore
from kd_core.specs import RunSpec
from kd_core.workspace import workspace

RESUMABLE = ("interrupted", "failed")


def resumable(state: str | None, spec: RunSpec) -> bool:
    """Say whether a run can go on: one that was cut off, or a what-if that a person stopped."""
    return state in RESUMABLE or (state == "cancelled" and spec.sweep is not None)


@dataclass(frozen=True)
class ServiceStatus:
    """What the status page shows. Bytes and seconds; `environment` is what the worker found, empty until it is ready."""

    executor: str
    worker: str
    pid: int | None
    uptime_s: float
    restarts: int
    worker_rss_bytes: int | None
    running: str | None
    queue: tuple[str, ...]
    environment: dict[str, Any]
    cores: int
    memory_bytes: int
    memory_free_bytes: int
    workspace: str
    disk_bytes: int
    disk_free_bytes: int
    runs: int
    errors: tuple[dict[str, str], ...] = field(default=())


class JobService:
    """Takes runs, works through them one by one and keeps everything on disk.

    `command` is the worker's command line; `executor` is `process` or `thread` (from `KD_EXECUTOR` when empty);
    `run` replaces the experiment in thread mode.

    Errors: KDError `workspace_in_use` when another server has the workspace.
    """

    def __init__(
        self, root: Path, *, command: list[str] | None = None, executor: str | None = None, run: Any = None
    ) -> None:
        self.root = Path(root)
        self.executor = executor or os.environ.get("KD_EXECUTOR") or "process"
        if self.executor not in ("process", "thread"):
            raise KDError(
                "KD_EXECUTOR is {value!r}.",
                "Set it to 'process' or 'thread', or leave it out.",
                "bad_executor",
                value=self.executor,
            )
        self._command = command
        self._run = run
        self._submitting = threading.Lock()
        self._closed = False
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._server = LockFile(self.root / "server.lock").require(
            "The workspace {root} is in use by another server (process {pid} on {host}).",
            "Use that one, stop it, or set KD_WORKSPACE to another folder.",
            "workspace_in_use",
            root=self.root,
        )
        try:
            self.store = RunStore(self.root)
            self._supervisor = Supervisor(self.store, self._hands)
        except BaseException:
            self._server.release()
            raise

    def _hands(self, report: Any) -> Hands:
        if self.executor == "thread":
            return WorkerThread(self._run, report)
        return WorkerProcess(self._command or command(), self.root, report)

    def submit(self, spec: RunSpec, *, click: str | None = None, again: bool = False) -> str:
        """Put a run in the queue and return its id.

        The same press (`click`), work that is waiting or running, and, unless `again`, work that is done
        return the run that exists.

        Errors: KDError `queue_full`, `disk_low`.
        """
        with self._submitting:
            found = self.store.find_click(click) if click else None
            found = found or self.store.find_work(spec.work_hash(), ACTIVE if again else (*ACTIVE, "done"))
            if found is not None:
                return found.id
            self._check_room()
            run_id = self.store.create(spec, click=click)
        self._supervisor.wake()
        return run_id

    def _check_room(self) -> None:
        waiting = len(self.store.queue())
        if waiting >= limits.QUEUE_LENGTH:
            raise KDError(
                "{waiting} runs are waiting already; the queue holds {most}.",
                "Wait, or cancel runs that are no longer wanted.",
                "queue_full",
                waiting=waiting,
                most=limits.QUEUE_LENGTH,
            )
        free = shutil.disk_usage(self.root).free
        if free < limits.MIN_FREE_DISK_BYTES:
            raise KDError(
                "Only {free:,.0f} MB are free on the disk of {root}; a run needs {need:,.0f} MB.",
                "Delete runs or other files first.",
                "disk_low",
                free=free / 2**20,
                need=limits.MIN_FREE_DISK_BYTES / 2**20,
                root=self.root,
            )

    def stop(self, run_id: str) -> None:
        """Ask a run to stop and keep what it has; a waiting one is cancelled at once. Asking twice changes nothing."""
        with self._supervisor.lock:
            folder = self.store.folder(run_id)
            state = folder.status().get("state")
            if state == "queued":
                end(folder, "cancelled", None)
            elif state in ("starting", "running"):
                folder.stop_path.touch()
            else:
                return
            self.store.refresh(run_id)
            self._supervisor.stop(run_id)

    def resume(self, run_id: str) -> str:
        """Queue a run again that was cut off, or a what-if that was stopped; finished trainings are kept.

        Errors: KDError `not_resumable`.
        """
        with self._submitting, self._supervisor.lock:
            folder = self.store.folder(run_id)
            status = folder.status()
            if status.get("state") in ACTIVE:
                return run_id
            if not resumable(status.get("state"), folder.spec()):
                raise KDError(
                    "Run {run_id} is {state}; only an interrupted or failed run or a stopped what-if can be resumed.",
                    "Clone it to run it again.",
                    "not_resumable",
                    run_id=run_id,
                    state=status.get("state"),
                )
            self._check_room()
            self.store.requeue(run_id)
        self._supervisor.wake()
        return run_id

    def go_on(self, run_id: str, added: Added) -> str:
        """Queue a what-if that has ended again for what was added to it: more seeds, a shuffled teacher. What it trained is kept.

        Errors: KDError `not_a_what_if` for a run that can't be added to; `queue_full`, `disk_low`.
        """
        with self._submitting, self._supervisor.lock:
            folder = self.store.folder(run_id)
            state = folder.status().get("state")
            if state in ACTIVE:
                return run_id
            if folder.spec().sweep is None or not folder.complete:
                raise KDError(
                    "Run {run_id} ({state}) is no what-if with a result; only to one can seeds be added.",
                    "Choose a what-if that has ended.",
                    "not_a_what_if",
                    run_id=run_id,
                    state=state,
                )
            self._check_room()
            added.write(folder)
            self.store.requeue(run_id)
        self._supervisor.wake()
        return run_id

    def interrupt(self, run_id: str, *, again: bool = False) -> None:
        """End the worker of a run that makes no progress; the run can be resumed, and with `again` that happens at once.

        Errors: KDError `not_at_work` when no process carries the run out.
        """
        if not self._supervisor.interrupt(run_id, again=again):
            raise KDError(
                "No process works on run {run_id}.",
                "Look at the run again: it may have ended.",
                "not_at_work",
                run_id=run_id,
            )

    def position(self, run_id: str) -> int | None:
        """Return a waiting run's place in the queue, 1 for the next; None when it isn't waiting."""
        return self.store.place(run_id)

    def status(self) -> ServiceStatus:
        """Describe the worker, the queue and the machine."""
        with self._supervisor.lock:
            watch, hands = self._supervisor.watch, self._supervisor.hands
            pid = hands.pid if hands is not None else None
            memory, disk = psutil.virtual_memory(), shutil.disk_usage(self.root)
            return ServiceStatus(
                executor=self.executor,
                worker=watch.state,
                pid=pid,
                uptime_s=time.monotonic() - watch.since,
                restarts=watch.restarts,
                worker_rss_bytes=_rss(pid),
                running=watch.job.run_id if watch.job else None,
                queue=self.store.queue(),
                environment=dict(watch.environment),
                cores=cores(),
                memory_bytes=memory.total,
                memory_free_bytes=memory.available,
                workspace=str(self.root),
                disk_bytes=disk.total,
                disk_free_bytes=disk.free,
                runs=self.store.count(),
                errors=tuple(watch.errors),
            )

    def close(self, seconds: float = limits.KILL_GRACE_SECONDS) -> None:
        """Put the current run down where it can be resumed, end the worker and give the workspace back."""
        if not self._closed:
            self._closed = True
            self._supervisor.close(seconds)
            self._server.release()


def _rss(pid: int | None) -> int | None:
    try:
        return int(psutil.Process(pid or os.getpid()).memory_info().rss)
    except psutil.Error:
        return None


_service: JobService | None = None
_making = threading.Lock()


def service() -> JobService:
    """Return the service of this server process, started at the first call.

    It belongs to the module, not to a Streamlit cache, which any viewer can clear. When `KD_WORKSPACE` has
    changed since, the old service is closed and one for the new workspace is started.
    """
    global _service
    with _making:
        root = workspace()
        if _service is not None and (_service.root != root or _service._closed):
            _service.close()
            _service = None
        if _service is None:
            _service = JobService(root)
        return _service


__all__ = ["JobService", "Message", "ServiceStatus", "service"]
