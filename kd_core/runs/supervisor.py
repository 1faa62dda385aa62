"""The thread that owns the queue: starts runs, watches the worker, writes down what became of them."""

from __future__ import annotations

import logging
import queue
import secrets
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kd_core import limits
from kd_core.errors import KDError
from kd_core.runs.events import utc_now
from kd_core.runs.process import Hands, Message
from kd_core.runs.recover import end, recover, settle
from kd_core.runs.rows import RunError
from kd_core.runs.store import RunStore

log = logging.getLogger(__name__)

STOP_FINISH_SECONDS = 120.0  # from a run's noticing the stop to its ending: what is finished is still evaluated
START_TRIES = 3  # workers that die before they are ready, one after another, before the waiting run is failed
START_BACKOFF_SECONDS = 0.5  # before the second try; doubled for each further one
BUSY_POLL_SECONDS = 0.25
IDLE_POLL_SECONDS = 1.0


@dataclass
class Job:
    """The run in the worker's hands."""

    run_id: str
    stop_asked: float | None = None  # monotonic
    stop_noticed: float | None = None
    killed: bool = False


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


class Supervisor:
    """Drives one pair of hands from the store's queue, in a daemon thread."""

    def __init__(self, store: RunStore, make_hands: Callable[[Callable[[Message], None]], Hands]) -> None:
        self.store = store
        self.watch = Watch()
        self.lock = threading.RLock()
        self._make_hands = make_hands
        self._messages: queue.SimpleQueue[tuple[int, Message]] = queue.SimpleQueue()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._unsettled: dict[str, tuple[RunError | None, str]] = {}
        self._given_back: set[str] = set()
        self._generation = 0
        self._retry_at = 0.0
        self.watch.foreign = recover(store)
        self.hands: Hands | None = None
        self._new_hands()
        self._thread = threading.Thread(target=self._loop, name="job supervisor", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look at the queue now."""
        self._wake.set()

    def close(self, seconds: float) -> None:
        """Put the current run down, end the worker and the thread."""
        self._closing.set()
        self._wake.set()
        self._thread.join(2.0)
        if self.hands is not None:
            self.hands.close(seconds)
        with self.lock:
            self._drain()
            job, self.watch.job, self.watch.state = self.watch.job, None, "stopped"
            if job is not None:
                self._unsettled[job.run_id] = (None, "interrupted")
            self._settle_ended()

    def stop(self, run_id: str) -> None:
        """Pass a stop on to the worker when it has this run."""
        with self.lock:
            job = self.watch.job
            if job is None or job.run_id != run_id:
                return
            if job.stop_asked is None:
                job.stop_asked = time.monotonic()
            if self.hands is not None:
                self.hands.stop(run_id)
        self._wake.set()

    def _new_hands(self) -> None:
        self._generation += 1
        generation = self._generation
        self.watch.state, self.watch.since, self.watch.environment = "starting", time.monotonic(), {}

        def report(message: Message) -> None:
            self._messages.put((generation, message))
            self._wake.set()

        self.hands = self._make_hands(report)

    def _loop(self) -> None:
        while not self._closing.is_set():
            busy = self.watch.job is not None or self.watch.foreign
            self._wake.wait(BUSY_POLL_SECONDS if busy else IDLE_POLL_SECONDS)
            self._wake.clear()
            if self._closing.is_set():
                return
            try:
                with self.lock:
                    self._drain()
                    self._watch_stop()
                    self._watch_foreign()
                    self._settle_ended()
                    self._start_next()
            except Exception as error:  # the supervisor must outlive a locked database or a full disk
                log.exception("supervisor")
                self.note("supervisor", f"{type(error).__name__}: {error}")
                time.sleep(BUSY_POLL_SECONDS)

    def note(self, code: str, message: str) -> None:
        """Remember an error for the status page; the last 20 are kept, the same one in a row once."""
        if self.watch.errors and self.watch.errors[-1]["message"] == message:
            return
        self.watch.errors = [*self.watch.errors[-19:], {"utc": utc_now(), "code": code, "message": message}]

    def _drain(self) -> None:
        while True:
            try:
                generation, message = self._messages.get_nowait()
            except queue.Empty:
                return
            if generation == self._generation:
                self._handle(message)

    def _handle(self, message: Message) -> None:
        kind, job = message["say"], self.watch.job
        if kind == "ready":
            self.watch.failed_starts = 0
            self.watch.environment = message["environment"]
            self.watch.state = "busy" if job else "ready"
        elif kind == "stopping" and job is not None:
            job.stop_noticed = time.monotonic()
        elif kind == "started" and job is not None:
            self.store.refresh(job.run_id)
        elif kind == "ended" and job is not None:
            self.watch.job, self.watch.state = None, "leaving" if message["renew"] else "ready"
            error = RunError(**message["error"]) if message["error"] else None
            if error is not None:
                self.note(error.code, f"Run {job.run_id}: {error.message} (error id {error.error_id})")
            self._unsettled[job.run_id] = (error, message["state"])
        elif kind == "refused" and job is not None:  # another process has it: wait until that one is gone
            self.watch.job, self.watch.state = None, "ready"
            self.note(message["code"], message["message"])
            self.watch.foreign = (*self.watch.foreign, job.run_id)
        elif kind == "noise":
            self.note("worker_noise", f"The worker wrote an unreadable answer: {message['text']}")
        elif kind == "gone":
            self._gone(int(message["status"]))

    def _gone(self, status: int) -> None:
        """The worker is dead: write down what became of its run and start a fresh one."""
        job, was_ready = self.watch.job, self.watch.state != "starting"
        self.watch.job = None
        self.hands = None
        if job is not None and job.stop_asked is None and (not was_ready or self._left_before(job, status)):
            self._requeue(job.run_id)  # it never came to the run
        elif job is not None:
            self._lose(job, status)
        self.watch.restarts += 1
        if not was_ready:
            self.watch.failed_starts += 1
            self.note("worker_start", f"A worker ended before it was ready ({_how(status)}); see worker.log.")
        if self.watch.failed_starts >= START_TRIES:
            self._fail_waiting()
        self.watch.state = "failed" if self.watch.failed_starts >= START_TRIES else "restarting"
        self._retry_at = time.monotonic() + (
            0.0 if was_ready else min(30.0, START_BACKOFF_SECONDS * 2 ** (self.watch.failed_starts - 1))
        )

    def _left_before(self, job: Job, status: int) -> bool:
        """Say whether a worker that was asked to end left a run untouched that had just been given to it; once per run."""
        untouched = status == 0 and self.store.folder(job.run_id).status().get("state") == "starting"
        if not untouched or job.run_id in self._given_back:
            return False
        self._given_back.add(job.run_id)
        return True

    def _lose(self, job: Job, status: int) -> None:
        error_id = secrets.token_hex(4)
        error: RunError | None = None
        if job.stop_asked is not None:
            state = "cancelled"
            if status:
                error = RunError(
                    "stopped_hard", "The run did not stop in time and was ended; nothing could be kept.",
                    "Start it again, or clone it.", error_id,
                )  # fmt: skip
        elif status in (0, -signal.SIGKILL, -signal.SIGTERM):
            state = "interrupted"
            if status:
                error = RunError(
                    "worker_killed", "The worker process was ended from outside, perhaps because memory ran out.",
                    "Resume the run; it goes on from its last checkpoint.", error_id,
                )  # fmt: skip
        else:
            state = "failed"
            error = RunError(
                "worker_crashed", f"The worker process crashed ({_how(status)}).",
                f"The trace is in worker.log of the workspace (error id {error_id}).", error_id,
            )  # fmt: skip
        if error is not None:
            self.note(error.code, f"Run {job.run_id}: {error.message} (error id {error_id}, {_how(status)})")
        self._unsettled[job.run_id] = (error, state)

    def _requeue(self, run_id: str) -> None:
        self.store.folder(run_id).write_status(state="queued")
        self.store.refresh(run_id)

    def _fail_waiting(self) -> None:
        waiting = self.store.queue()
        if not waiting:
            return
        error = RunError(
            "worker_start", f"No worker could be started, {self.watch.failed_starts} times in a row.",
            "Open the status page; the reason is in worker.log of the workspace.", secrets.token_hex(4),
        )  # fmt: skip
        end(self.store.folder(waiting[0]), "failed", error)
        self.store.refresh(waiting[0])

    def _watch_stop(self) -> None:
        job, now = self.watch.job, time.monotonic()
        if job is None or job.stop_asked is None or job.killed or self.hands is None:
            return
        late = now - job.stop_asked > limits.KILL_GRACE_SECONDS and job.stop_noticed is None
        if late or (job.stop_noticed is not None and now - job.stop_noticed > STOP_FINISH_SECONDS):
            job.killed = True
            self.hands.kill()

    def _watch_foreign(self) -> None:
        """Runs that another process still carries out, such as the worker of a killed server, are waited for."""
        if self.watch.foreign:
            self.watch.foreign = tuple(i for i in self.watch.foreign if not settle(self.store, i))

    def _settle_ended(self) -> None:
        """Bring the list up to date; where the worker could not write the ending (full disk), try again here."""
        for run_id, (error, state) in list(self._unsettled.items()):
            if not (self.store.runs / run_id).is_dir() or settle(self.store, run_id, error, state):
                del self._unsettled[run_id]

    def _start_next(self) -> None:
        if self.hands is None and time.monotonic() >= self._retry_at:
            self._new_hands()
        if self.watch.job is not None or self.watch.foreign or self.hands is None or self.watch.state == "leaving":
            return
        if self.watch.failed_starts and self.watch.state != "ready":
            return
        waiting = self.store.queue()
        if not waiting:
            return
        try:
            folder = self.store.folder(waiting[0])
            folder.write_status(state="starting")
            self.store.refresh(folder.id)
        except KDError as error:  # deleted or damaged by hand: it must not hold up the others
            self.note(error.code, f"Run {waiting[0]} was taken out of the queue: {error.message}")
            self.store.index.drop(waiting[0])
            self._wake.set()
            return
        self.watch.job = Job(folder.id)
        if self.watch.state == "ready":
            self.watch.state = "busy"
        self.hands.run(folder)


def _how(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"
