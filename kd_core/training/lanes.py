"""Work side by side: a few threads, each with one thread of arithmetic.

torch lets go of Python's lock while it computes, so threads use the cores as well as its own OpenMP threads do, but
without barriers: where another program takes a core, a barrier after every operation costs 10 times the work
(docs/LAB.md, lanes).
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import torch

from kd_core.machine import device as devices
from kd_core.training.loop import ShouldStop

MOST_LANES = 4  # beyond this, Python's lock is what threads wait for
POLL_SECONDS = 0.05  # how often the caller is asked whether to stop

# do(task, tell, stopped): tell(message) reaches whoever iterates over `Lanes.run`
Work = Callable[[Any, Callable[[Any], None], ShouldStop], None]


def lanes_of(device: torch.device) -> int:
    """Say how many lanes a device has at most: one per core of the CPU, one on a GPU."""
    return 1 if device.type == "cuda" else min(MOST_LANES, devices.cores())


class Lanes:
    """Carries out tasks in order, `count` at a time."""

    def __init__(self, do: Work, tasks: Sequence[Any], count: int) -> None:
        self._do = do
        self._tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for task in tasks:
            self._tasks.put(task)
        self._said: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._count = min(count, len(tasks))

    def run(self, should_stop: ShouldStop) -> Generator[Any]:
        """Work to the end and yield what the tasks tell, in this thread; a task's error ends the others and is raised."""
        if should_stop():
            return
        threads = [threading.Thread(target=self._lane, name=f"lane {i}", daemon=True) for i in range(self._count)]
        with devices.threads(1):
            try:
                for thread in threads:
                    thread.start()
                yield from self._listen(should_stop, len(threads))
            finally:
                self._stop.set()
                for thread in threads:
                    if thread.ident is not None:  # interrupted while they were being started
                        thread.join()

    def _listen(self, should_stop: ShouldStop, working: int) -> Iterator[Any]:
        while working:
            try:
                kind, message = self._said.get(timeout=POLL_SECONDS)
            except queue.Empty:
                pass
            else:
                if kind == "error":
                    raise message
                if kind == "end":
                    working -= 1
                else:
                    yield message
            if not self._stop.is_set() and should_stop():
                self._stop.set()

    def _lane(self) -> None:
        try:
            torch.set_num_threads(1)  # OpenMP counts for each thread of Python by itself
            with contextlib.suppress(queue.Empty):
                while not self._stop.is_set():
                    self._do(self._tasks.get_nowait(), lambda m: self._said.put(("said", m)), self._stop.is_set)
        except BaseException as error:  # raised again by `run`, where somebody is listening
            self._said.put(("error", error))
        self._said.put(("end", None))
