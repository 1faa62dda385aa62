"""Training many variants in child processes, one per core, each with one thread of arithmetic.

Pays where stacking does not: wide networks, architectures without a stacked form. Pictures would also want the
channels_last layout; there are none yet. Children are started as programs of their own (never by forking or by
importing the parent's main module), share the data by mapped files and end when the parent does.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import kd_core
from kd_core.data.dataset import Array, Dataset
from kd_core.device import cores as cores
from kd_core.distill.stack.stacking import step_flops
from kd_core.distill.sweep import handover, ways
from kd_core.distill.sweep.scoreboard import Scoreboard
from kd_core.distill.sweep.share_worker import FOLDER_START
from kd_core.distill.sweep.variants import OnTrained, TrainedVariant, Variant
from kd_core.distill.sweep.ways import Precision, Way
from kd_core.errors import KDError
from kd_core.evaluate.base import better_of
from kd_core.specs import TrainingSpec
from kd_core.task import task_of
from kd_core.training.loop import Notify, ShouldStop, ignore, never
from kd_core.training.plan import resolve

POLL_SECONDS = 0.1  # how often the parent looks whether it was asked to stop
STOP_SECONDS = 60.0  # from asking a child to stop to killing it: a step of a huge batch may be under way
LEAVE_SECONDS = 5.0  # from closing a child's input to killing it
STEP_SECONDS, FLOPS_PER_SECOND = 0.00045, 2.0e10  # one small step on one core; only ratios of costs matter here


@dataclass(frozen=True)
class Share:
    """Positions in the list of variants that one child trains in one way."""

    way: Way
    positions: list[int]


def train_variants(
    dataset: Dataset,
    variants: Sequence[Variant],
    teacher_logits: Array | None,
    training: TrainingSpec,
    *,
    metric: str | None = None,
    notify: Notify = ignore,
    should_stop: ShouldStop = never,
    folder: Path | None = None,
    on_trained: OnTrained | None = None,
    precision: Precision = "float32",
    count: int | None = None,
    stacked: Sequence[int] = (),
) -> list[TrainedVariant | None]:
    """Train the variants in `count` children (one per core when empty); the positions in `stacked` as stacks.

    Errors: as in `Crew.train`.
    """
    with Crew(dataset, variants, teacher_logits, training, metric=metric, folder=folder, count=count) as crew:
        apart = sorted(set(range(len(variants))) - set(stacked))
        return crew.train(
            crew.shares(stacked, apart),
            notify=notify,
            should_stop=should_stop,
            on_trained=on_trained,
            precision=precision,
        )


def costs(dataset: Dataset, variants: Sequence[Variant], training: TrainingSpec) -> list[float]:
    """Estimate the seconds of one step of each variant: a part for dispatch and a part for arithmetic."""
    return [STEP_SECONDS + flops / FLOPS_PER_SECOND for flops in step_flops(dataset, variants, training)]


def divide(positions: Sequence[int], costs: Sequence[float], count: int) -> list[list[int]]:
    """Cut a list into at most `count` runs of nearly equal cost; neighbours stay together.

    Example:
        >>> divide([0, 1, 2, 3], [1, 1, 1, 3], 2)
        [[0, 1, 2], [3]]
    """
    total, before = sum(costs[p] for p in positions), 0.0
    parts: list[list[int]] = [[] for _ in range(count)]
    for p in positions:
        parts[min(count - 1, int((before + costs[p] / 2) / total * count))].append(p)
        before += costs[p]
    return [part for part in parts if part]


@dataclass
class _Child:
    process: subprocess.Popen[str]
    listener: threading.Thread | None = None
    left: dict[int, list[int]] = field(default_factory=dict)  # per job, the positions not yet trained
    gone: bool = False

    def send(self, **command: Any) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):  # a dead child is reported by `gone`
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()

    def close(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):
            self.process.stdin.close()


class Crew:
    """The child processes of one sweep; used as a context, which ends them. They are warm after a probe.

    Errors: KDError `no_children` on entering it, when they can't be started or the data can't be handed over.
    """

    def __init__(
        self,
        dataset: Dataset,
        variants: Sequence[Variant],
        teacher_logits: Array | None,
        training: TrainingSpec,
        *,
        metric: str | None = None,
        folder: Path | None = None,
        count: int | None = None,
    ) -> None:
        self.dataset, self.variants, self.teacher_logits = dataset, list(variants), teacher_logits
        self.training, self.metric, self.folder = training, metric, folder
        self.count = min(count or cores(), max(1, len(self.variants)))
        self._messages: queue.SimpleQueue[tuple[_Child, dict[str, Any]]] = queue.SimpleQueue()
        self._children: list[_Child] = []
        self._jobs = 0

    def __enter__(self) -> Self:
        try:
            self._place = Path(tempfile.mkdtemp(prefix=FOLDER_START))
            try:
                handover.write(
                    self._place,
                    self.dataset,
                    self.variants,
                    self.teacher_logits,
                    self.training,
                    self.metric,
                    self.folder,
                )
                self._children = [self._start() for _ in range(self.count)]
            except BaseException:
                self.__exit__(None, None, None)
                raise
        except OSError as error:
            raise KDError(
                "Child processes can't be started: {error}.",
                "Free space in the folder for temporary files, or choose the mode 'sequential'.",
                "no_children",
                error=str(error),
            ) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            child.close()
        for child in self._children:
            try:
                child.process.wait(LEAVE_SECONDS)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
            if child.listener:
                child.listener.join()
        shutil.rmtree(self._place, ignore_errors=True)

    @property
    def pids(self) -> list[int]:
        """Return the process ids of the children."""
        return [child.process.pid for child in self._children]

    def shares(self, stacked: Sequence[int], apart: Sequence[int]) -> list[Share]:
        """Divide the work: stacks of nearly equal cost, one per child; all others one by one, the longest first."""
        cost = costs(self.dataset, self.variants, self.training)
        alike = sorted(stacked, key=lambda p: (self.variants[p].student.arch.to_json(), self.variants[p].seed, p))
        longest = sorted(apart, key=lambda p: (-cost[p], p))
        parts = divide(alike, cost, self.count) if alike else []
        return [Share("fused", part) for part in parts] + [Share("sequential", [p]) for p in longest]

    def probe(self, way: Way, parts: Sequence[Sequence[int]], *, steps: int, precision: Precision = "float32") -> float:
        """Let every child measure its part, all at once; the seconds of an epoch of the slowest, infinite if one died.

        Errors: KDError that a child met.
        """
        for child, part in zip(self._children, parts, strict=False):
            child.send(do="probe", way=way, positions=list(part), steps=steps, precision=precision)
        found: list[float] = []
        while len(found) < len(parts):
            child, message = self._messages.get()
            if message["say"] == "probed":
                found.append(message["seconds"])
            elif message["say"] == "failed":
                raise _error(message)
            elif message["say"] == "gone":
                child.gone = True
            if any(child.gone for child in self._children):
                return math.inf
        return max(found)

    def train(
        self,
        shares: Sequence[Share],
        *,
        notify: Notify = ignore,
        should_stop: ShouldStop = never,
        on_trained: OnTrained | None = None,
        precision: Precision = "float32",
    ) -> list[TrainedVariant | None]:
        """Train the shares; results in the order of the variants, None for one that finished no epoch.

        What a child leaves undone because it died is trained in this process, with the warning `share_lost`.
        Errors: KDError that a child met; the other children are ended when the context is left.
        """
        results: list[TrainedVariant | None] = [None] * len(self.variants)
        board = Scoreboard(notify, better_of(self.metric or task_of(self.dataset.task).primary))
        waiting, lost = deque(shares), list[Share]()
        ways_of = {p: share.way for share in shares for p in share.positions}
        epochs = resolve(self.training, len(self.dataset.train)).epochs
        stopping = False

        def finished(position: int, trained: TrainedVariant) -> None:
            results[position] = trained
            if on_trained:
                on_trained(position, trained)

        for child in self._children:
            self._next(child, waiting, precision)
        for child, message in self._heard(should_stop):
            say = message["say"]
            if say == "stop":
                stopping = True
                waiting.clear()
            elif say == "trained":
                job, position = message["job"], message["training"]
                child.left[job].remove(position)
                if not child.left[job]:  # the child need not wait until its result has been read
                    del child.left[job]
                    self._next(child, waiting, precision)
                trained = handover.read_result(self._place, position, self.variants[position])
                if trained.state:  # the child's own telling may come after the last job has ended
                    board.take(position, trained.score_selected, trained.last_epoch, epochs)
                finished(position, trained)
            elif say == "ended":
                if child.left.pop(message["job"], None) is not None:
                    self._next(child, waiting, precision)
            elif say == "event":
                self._pass_on(message["event"], board, notify)
            elif say == "failed":
                raise _error(message)
            elif say == "gone":
                child.gone = True
                undone = sorted(p for positions in child.left.values() for p in positions)
                child.left.clear()
                if undone and not stopping:
                    lost.append(Share(ways_of[undone[0]], undone))
                    notify(_lost(message["status"], len(undone)))
        board.tell()
        if not stopping:
            for share in [*lost, *waiting]:  # `waiting` holds something only when all children died
                self._train_here(share, notify, should_stop, finished, precision)
        return results

    def _next(self, child: _Child, waiting: deque[Share], precision: Precision) -> None:
        if not waiting or child.gone:
            return
        share = waiting.popleft()
        self._jobs += 1
        child.left[self._jobs] = list(share.positions)
        child.send(do="train", job=self._jobs, way=share.way, positions=share.positions, precision=precision)

    def _heard(self, should_stop: ShouldStop) -> Iterator[tuple[_Child, dict[str, Any]]]:
        """Yield what the children say while any of them has work; `stop` once, when a person asks for it."""
        asked: float | None = None
        while any(child.left for child in self._children):
            if asked is None and should_stop():
                asked = time.monotonic()
                for child in self._children:
                    child.send(do="stop")
                yield self._children[0], {"say": "stop"}
            try:
                yield self._messages.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if asked is not None and time.monotonic() - asked > STOP_SECONDS:
                    for child in self._children:
                        child.process.kill()

    def _train_here(
        self, share: Share, notify: Notify, should_stop: ShouldStop, finished: OnTrained, precision: Precision
    ) -> None:
        positions = share.positions
        ways.train(
            share.way,
            self.dataset,
            [self.variants[p] for p in positions],
            self.teacher_logits,
            self.training,
            metric=self.metric,
            notify=lambda e: notify(ways.moved(e, positions)),
            should_stop=should_stop,
            device=None,
            folder=self.folder,
            on_trained=lambda i, t: finished(positions[i], t),
            precision=precision,
            lanes=1,
        )

    def _pass_on(self, event: dict[str, Any], board: Scoreboard, notify: Notify) -> None:
        """Join the children's scores into one event at a time; everything else goes on as it is."""
        if event["kind"] != "scores":
            notify(event)
            return
        for position, score in event["best"].items():
            board.take(int(position), score, event["epoch"], event["epochs"])

    def _start(self) -> _Child:
        code = str(Path(kd_core.__file__).resolve().parent.parent)
        path = os.pathsep.join(p for p in (code, os.environ.get("PYTHONPATH", "")) if p)
        process = subprocess.Popen(
            [sys.executable, "-m", "kd_core.distill.sweep.share_worker", str(self._place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        )
        child = _Child(process)
        child.listener = threading.Thread(target=self._listen, args=(child,), name="share answers", daemon=True)
        child.listener.start()
        return child

    def _listen(self, child: _Child) -> None:
        assert child.process.stdout is not None
        for line in child.process.stdout:
            with contextlib.suppress(ValueError):  # a line that a kill cut off; `gone` follows
                self._messages.put((child, json.loads(line)))
        child.process.stdout.close()
        self._messages.put((child, {"say": "gone", "status": child.process.wait()}))


def _error(message: dict[str, Any]) -> KDError:
    return KDError(message["message"], message["hint"], message["code"])


def _lost(status: int, count: int) -> dict[str, Any]:
    return {
        "kind": "warning",
        "code": "share_lost",
        "message": f"A child process ended with status {status} before {count} of its trainings were finished.",
        "hint": "They are trained again in the main process. If memory ran out, choose the mode 'sequential'.",
    }
