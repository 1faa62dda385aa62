"""Targets made and proved in the background, one after the other: it takes seconds, in which the page stays usable."""

from __future__ import annotations

import functools
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kd_core.runs.store.folder import MODEL

Key = tuple[str, str, str]  # folder, student, target
_LINE = ThreadPoolExecutor(1, thread_name_prefix="export")
_lock = threading.Lock()
_asked: dict[Key, Making] = {}


@dataclass(frozen=True)
class Making:
    """One target that was asked for. Errors of `done.result()`: as of `exporting.hand_out`."""

    done: Future[Any]
    since: float = field(default_factory=time.monotonic)

    @property
    def busy(self) -> bool:
        """Say whether it is still in the making, or waits for its turn."""
        return not self.done.done()

    @property
    def seconds(self) -> float:
        """Return how long ago it was asked for."""
        return time.monotonic() - self.since


def taking(folder: Path, student: str) -> Any:
    """Return what a student's targets are made of; read once for each state of the run. Errors: as `taking.take`."""
    return _taking(folder, _changed(folder), student)


def _changed(folder: Path) -> int:
    return (folder / MODEL).stat().st_mtime_ns if (folder / MODEL).is_file() else 0


@functools.lru_cache(maxsize=4)
def _taking(folder: Path, changed: int, student: str) -> Any:
    from kd_core.runs.exporting.taking import take

    return take(folder, student)


@functools.lru_cache(maxsize=16)
def _size(folder: Path, changed: int, student: str, target: str) -> int:
    from kd_core.runs.exporting.exporting import foreseen

    return foreseen(_taking(folder, changed, student), target)


def size(folder: Path, student: str, target: str) -> int:
    """Say how large a target will be, in bytes; found out once for each state of the run. Errors: as the target."""
    return _size(folder, _changed(folder), student, target)


@functools.lru_cache(maxsize=16)
def packed(model: bytes) -> bytes:
    """Pack a model's file, once."""
    from kd_core.export import compact

    return compact.packed(model)


def start(folder: Path, student: str, target: str) -> None:
    """Make a target; nothing where that is under way."""
    key = str(folder), student, target
    with _lock:
        if key in _asked and _asked[key].busy:
            return
        _asked[key] = Making(_LINE.submit(_made, folder, student, target))


def of(folder: Path, student: str, target: str) -> Making | None:
    """Return what was asked for last; None where nothing was since the server started."""
    return _asked.get((str(folder), student, target))


def _made(folder: Path, student: str, target: str) -> Any:
    from kd_core.runs.exporting.exporting import hand_out

    return hand_out(taking(folder, student), target)
