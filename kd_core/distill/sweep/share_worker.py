"""A child process that trains its share of a sweep on one core, driven by lines of JSON on its input.

Run as `python -m kd_core.distill.sweep.share_worker FOLDER` by `kd_core.distill.sweep.shares`. It ends when its input does: that
is how a parent which was killed ends its children. Answers go to a copy of the original standard output, so that a
stray print of a library can't be mistaken for one.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from kd_core.streams import own_streams

if TYPE_CHECKING:
    from kd_core.distill.sweep.handover import Handover
    from kd_core.distill.sweep.variants import TrainedVariant

FOLDER_START = "kd-shares-"  # a child removes its parent's folder only when it is called so


class ShareWorker:
    """Takes shares from one stream, one at a time, and answers on another."""

    def __init__(self, folder: Path, commands: TextIO, answers: TextIO) -> None:
        self._folder, self._commands, self._answers = folder, commands, answers
        self._saying = threading.Lock()
        self._jobs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._stop = threading.Event()

    def serve(self, left: Callable[[], None]) -> int:
        """Work until the input ends; `left` is called then, from another thread."""
        threading.Thread(target=self._listen, args=(left,), name="commands", daemon=True).start()
        from kd_core import device  # seconds: torch and everything else
        from kd_core.distill.sweep import handover
        from kd_core.errors import KDError

        given = handover.read(self._folder)
        with device.threads(1):
            self.say("ready", pid=os.getpid())
            while True:
                job = self._jobs.get()
                try:
                    self._carry_out(given, job)
                except KDError as error:
                    self.say("failed", code=error.code, message=error.message, hint=error.hint)

    def say(self, kind: str, **values: Any) -> None:
        """Send one line to the parent; a parent that is gone is no reason to fail, it has closed the input too."""
        with self._saying, contextlib.suppress(BrokenPipeError, ValueError):
            self._answers.write(json.dumps({"say": kind, **values}) + "\n")
            self._answers.flush()

    def _carry_out(self, given: Handover, job: dict[str, Any]) -> None:
        from kd_core.distill.sweep import ways

        positions: list[int] = job["positions"]
        variants = [given.variants[p] for p in positions]
        if job["do"] == "probe":
            seconds = ways.probe(
                job["way"],
                given.dataset,
                variants,
                given.teacher_logits,
                given.training,
                metric=given.metric,
                steps=job["steps"],
                device=None,
                precision=job["precision"],
                lanes=1,
            )
            self.say("probed", seconds=seconds)
            return

        def told(index: int, trained: TrainedVariant) -> None:
            from kd_core.distill.sweep.handover import write_result

            write_result(self._folder, positions[index], trained)
            self.say("trained", job=job["job"], training=positions[index])

        def hear(event: dict[str, Any]) -> None:
            self.say("event", event=ways.moved(event, positions))

        ways.train(
            job["way"],
            given.dataset,
            variants,
            given.teacher_logits,
            given.training,
            metric=given.metric,
            notify=hear,
            should_stop=self._stop.is_set,
            device=None,
            folder=given.checkpoints,
            on_trained=told,
            precision=job["precision"],
            lanes=1,
        )
        self.say("ended", job=job["job"])

    def _listen(self, left: Callable[[], None]) -> None:
        for line in self._commands:
            command = json.loads(line)
            if command["do"] == "stop":
                self._stop.set()
            else:
                self._jobs.put(command)
        left()


def serve(folder: Path) -> int:
    """Be a share worker on this process's own streams."""
    commands, answers = own_streams(expendable=700)  # a share can be repeated

    def left() -> None:
        if folder.name.startswith(FOLDER_START):
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)  # in the middle of a step: nobody is there to take the result

    return ShareWorker(folder, commands, answers).serve(left)


if __name__ == "__main__":
    sys.exit(serve(Path(sys.argv[1])))
