"""The thread that owns the queue: starts runs, watches the worker, writes down what became of them."""

from __future__ import annotations

import logging
import queue
import secrets
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from kd_core import limits
from kd_core.runs.service.disk import may_pass
from kd_core.runs.service.locks import end_holder
from kd_core.runs.service.loss import explain, how
from kd_core.runs.service.process import Hands, Message
from kd_core.runs.service.recover import end, give_up, recover, settle
from kd_core.runs.service.watch import Job, Watch
from kd_core.runs.store.rows import RunError
from kd_core.runs.store.runs import RunStore

log = logging.getLogger(__name__)

STOP_FINISH_SECONDS = 120.0  # from a run's noticing the stop to its ending: what is finished is still evaluated
START_TRIES = 3  # workers that die before they are ready, one after another, before the waiting run is failed
START_BACKOFF_SECONDS = 0.5  # before the second try; doubled for each further one
BUSY_POLL_SECONDS = 0.25
IDLE_POLL_SECONDS = 1.0


class Supervisor:
    """Drives one pair of hands from the store's queue, in a daemon thread.

    No exception ends the thread or holds up the queue, whatever a run does: each step is guarded, and a run that
    can't be settled or started is marked damaged, except where the cause can pass (a full disk, a busy list).
    """

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
        self._again: set[str] = set()  # to be queued once they have ended
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
            self._guarded(self._drain)
            job, self.watch.job, self.watch.state = self.watch.job, None, "stopped"
            if job is not None:
                self._unsettled[job.run_id] = (None, "interrupted")
            self._guarded(self._settle_ended)

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

    def interrupt(self, run_id: str, *, again: bool) -> bool:
        """End the process that carries out a run, without asking it; with `again` the run is queued when that is done.

        False when nobody carries it out.
        """
        with self.lock:
            job = self.watch.job
            if job is not None and job.run_id == run_id and self.hands is not None:
                job.frozen = job.killed = True
                self.hands.kill()
            elif run_id not in self.watch.foreign or not end_holder(self.store.folder(run_id).lock_path):
                return False
            if again:
                self._again.add(run_id)
        self._wake.set()
        return True

    def _new_hands(self) -> None:
        self._generation += 1
        generation = self._generation
        self.watch.state, self.watch.environment = "starting", {}

        def report(message: Message) -> None:
            self._messages.put((generation, message))
            self._wake.set()

        try:
            self.hands = self._make_hands(report)
        except Exception as error:  # no memory, no process left, a program that isn't there
            self.hands = None
            self._wrong("worker_start", error)
            self._failed_start(f"{type(error).__name__}: {error}")

    def _loop(self) -> None:
        while not self._closing.is_set():
            busy = self.watch.job is not None or self.watch.foreign
            self._wake.wait(BUSY_POLL_SECONDS if busy else IDLE_POLL_SECONDS)
            self._wake.clear()
            if self._closing.is_set():
                return
            calm = True
            for step in (self._drain, self._watch_stop, self._watch_foreign, self._settle_ended, self._start_next):
                with self.lock:
                    calm &= self._guarded(step)
            if not calm:
                self._closing.wait(BUSY_POLL_SECONDS)

    def _guarded(self, step: Callable[..., Any], *values: Any) -> bool:
        """Take a step; False when it raised, which is noted and must not keep the other steps from being taken."""
        try:
            step(*values)
        except Exception as error:
            self._wrong("supervisor", error)
            return False
        return True

    def _wrong(self, code: str, error: Exception) -> None:
        """Note an exception; its trace is logged once, however often it comes."""
        if self.watch.note(code, f"{type(error).__name__}: {error}"):
            log.error("supervisor", exc_info=error)

    def _drain(self) -> None:
        while True:
            try:
                generation, message = self._messages.get_nowait()
            except queue.Empty:
                return
            if generation == self._generation:
                self._guarded(self._handle, message)

    def _handle(self, message: Message) -> None:
        kind, job = message["say"], self.watch.job
        if kind == "ready":
            self.watch.failed_starts = 0
            self.watch.environment = dict(message.get("environment") or {})
            self.watch.state = "busy" if job else "ready"
        elif kind == "stopping" and job is not None:
            job.stop_noticed = time.monotonic()
        elif kind == "started" and job is not None:
            self.store.refresh(job.run_id)
        elif kind == "ended" and job is not None:
            self.watch.job, self.watch.state = None, "leaving" if message.get("renew") else "ready"
            self._unsettled[job.run_id] = (None, "interrupted")
            error = RunError(**message["error"]) if message["error"] else None
            if error is not None:
                self.watch.note(error.code, f"Run {job.run_id}: {error.message} (error id {error.error_id})")
            self._unsettled[job.run_id] = (error, message["state"])
        elif kind == "refused" and job is not None:  # another process has it: wait until that one is gone
            self.watch.job, self.watch.state = None, "ready"
            self.watch.foreign = (*self.watch.foreign, job.run_id)
            self.watch.note(message["code"], message["message"])
        elif kind == "noise":
            self.watch.note("worker_noise", f"The worker wrote an unreadable answer: {message['text']}")
        elif kind == "gone":
            self._gone(int(message["status"]))

    def _gone(self, status: int) -> None:
        """The worker is dead: write down what became of its run and start a fresh one."""
        job, was_ready = self.watch.job, self.watch.state != "starting"
        self.watch.job = None
        self.hands = None
        self.watch.restarts += 1
        self.watch.state, self._retry_at = "restarting", 0.0
        if job is not None:
            asked = job.stop_asked is not None or job.frozen
            untouched = not asked and (not was_ready or self._left_before(job, status))
            if not untouched or not self._guarded(self._requeue, job.run_id):  # untouched: it never came to the run
                self._lose(job, status)
        if not was_ready:
            self._failed_start(f"It ended before it was ready ({how(status)})")

    def _failed_start(self, why: str) -> None:
        """Wait longer after each worker that could not be started; after some, fail the run that waits for one."""
        self.watch.failed_starts += 1
        self.watch.note("worker_start", f"No worker could be started. {why}; see worker.log.")
        self.watch.state = "failed" if self.watch.failed_starts >= START_TRIES else "restarting"
        self._retry_at = time.monotonic() + min(30.0, START_BACKOFF_SECONDS * 2 ** (self.watch.failed_starts - 1))
        if self.watch.failed_starts >= START_TRIES:
            self._guarded(self._fail_waiting)

    def _left_before(self, job: Job, status: int) -> bool:
        """Say whether a worker that was asked to end left a run untouched that had just been given to it; once per run."""
        if status != 0 or job.run_id in self._given_back:
            return False
        try:
            untouched = self.store.folder(job.run_id).status().get("state") == "starting"
        except Exception as error:  # its folder is gone or damaged
            self._wrong("supervisor", error)
            return False
        if untouched:
            self._given_back.add(job.run_id)
        return untouched

    def _lose(self, job: Job, status: int) -> None:
        """Say why a run was lost; how it ended is written down by `_settle_ended`."""
        self._unsettled[job.run_id] = (None, "interrupted")
        error, state = explain(self.store.root, status, stop_asked=job.stop_asked is not None, frozen=job.frozen)
        if error is not None:
            self.watch.note(error.code, f"Run {job.run_id}: {error.message} (error id {error.error_id}, {how(status)})")
        self._unsettled[job.run_id] = (error, state)

    def _requeue(self, run_id: str) -> None:
        self.store.folder(run_id).write_status(state="queued")
        self.store.refresh(run_id)

    def _fail_waiting(self) -> None:
        waiting = self.store.queue()
        if not waiting:
            return
        error = RunError(
            "worker_start",
            f"No worker could be started, {self.watch.failed_starts} times in a row.",
            "Open the status page; the reason is in worker.log of the workspace.",
            secrets.token_hex(4),
        )
        try:
            end(self.store.folder(waiting[0]), "failed", error)
            self.store.refresh(waiting[0])
        except Exception as problem:
            if may_pass(problem):
                raise
            give_up(self.store, waiting[0], problem)

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
        for run_id in self.watch.foreign:
            if self._settle(run_id):
                self.watch.foreign = tuple(i for i in self.watch.foreign if i != run_id)

    def _settle_ended(self) -> None:
        """Bring the list up to date; where the worker could not write the ending (full disk), try again here."""
        for run_id, (error, state) in list(self._unsettled.items()):
            if self._settle(run_id, error, state):
                del self._unsettled[run_id]

    def _settle(self, run_id: str, error: RunError | None = None, state: str = "interrupted") -> bool:
        """Write a run's ending down; False while that has to wait."""
        try:
            settled = settle(self.store, run_id, error, state)
        except Exception as problem:
            self._wrong("supervisor", problem)
            if may_pass(problem):
                return False
            give_up(self.store, run_id, problem)
            settled = True
        if settled and run_id in self._again:
            self._again.discard(run_id)
            if self.store.get(run_id).state == "interrupted":
                self.store.requeue(run_id)
        return settled

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
            folder.spec()
            folder.write_status(state="starting")
            self.store.refresh(folder.id)
        except Exception as error:  # deleted or damaged by hand: it must not hold up the others
            if may_pass(error):
                raise
            self.watch.note(
                getattr(error, "code", "supervisor"), f"Run {waiting[0]} was taken out of the queue: {error}"
            )
            give_up(self.store, waiting[0], error)
            self._wake.set()
            return
        self.watch.job = Job(folder.id)
        if self.watch.state == "ready":
            self.watch.state = "busy"
        try:
            self.hands.run(folder)
        except Exception as error:  # a worker that can't be told anything is of no use: another one is started
            self._wrong("supervisor", error)
            self._generation += 1
            self._guarded(self.hands.kill)
            self._gone(-signal.SIGKILL)
