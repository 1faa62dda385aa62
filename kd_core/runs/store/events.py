"""A run's events: written in batches, read back piece by piece."""

from __future__ import annotations

import contextlib
import json
import math
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kd_core import limits, safe_io
from kd_core.errors import KDError

Event = dict[str, Any]

AT_ONCE = frozenset({"plan", "phase", "trained", "teacher", "room", "seeds", "part", "warning", "state"})
PENDING_MOST = 20_000  # events held in memory while the disk refuses them


def utc_now() -> str:
    """Return the time in UTC for display, to the millisecond. Never used to measure anything."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def encode(event: Event) -> str:
    """Write one event as one line; numbers that JSON can't hold become null and are named in `not_finite`."""
    try:
        return json.dumps(event, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        lost: list[str] = []
        clean = _finite(event, "", lost)
        return json.dumps({**clean, "not_finite": lost}, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _finite(value: Any, place: str, lost: list[str]) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        lost.append(place)
        return None
    if isinstance(value, dict):
        return {k: _finite(v, f"{place}.{k}" if place else str(k), lost) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v, f"{place}.{i}", lost) for i, v in enumerate(value)]
    return value


class EventReader:
    """Reads a growing event file; each call returns only what is new.

    A last line that is not whole yet is left for the next call. Errors: KDError `events_damaged` when a line
    that is followed by others can't be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self.lines = 0

    def read(self) -> list[Event]:
        """Return the events written since the last call."""
        try:
            with safe_io.open_own(self.path) as file:
                file.seek(self.offset)
                data = file.read()
        except FileNotFoundError:
            return []
        except safe_io.Damaged as error:
            raise unreadable(f"{self.path.name} {error} and") from None
        end = data.rfind(b"\n") + 1
        if not end:
            return []
        lines = data[:end].split(b"\n")[:-1]
        events = self._parse(lines)
        taken = lines[: len(events)]
        self.offset += sum(len(line) + 1 for line in taken)
        self.lines += len(taken)
        return events

    def _parse(self, lines: list[bytes]) -> list[Event]:
        try:  # one call for all lines is several times faster than one call per line
            found = json.loads(b"[" + b",".join(lines) + b"]")
            if len(found) == len(lines) and all(map(_is_event, found)):
                return list(found)
        except (ValueError, RecursionError):
            pass
        events: list[Event] = []
        for i, line in enumerate(lines):
            try:
                event = json.loads(line)
                if not _is_event(event):
                    raise ValueError("no numbered event")
            except (ValueError, RecursionError):
                if i == len(lines) - 1:  # torn by a crash; the next writer cuts it off
                    break
                raise unreadable(f"Line {self.lines + i + 1} of {self.path.name}") from None
            events.append(event)
        return events


def unreadable(what: str) -> KDError:
    """Make the error for events that can't be read."""
    return KDError(
        "{what} can't be read.", "Restore the run folder from a copy, or delete the run.", "events_damaged", what=what
    )


def _is_event(value: Any) -> bool:
    """Say whether a line is an object with the number and the time every event has."""
    return isinstance(value, dict) and isinstance(value.get("n"), int) and isinstance(value.get("t"), int | float)


class EventLog:
    """Appends events to a run's file in batches, numbering and timing them; safe to call from several threads.

    `n` and `t` continue where an earlier attempt stopped. After `start`, a thread of its own writes, so that
    a training never waits for the disk. A write that fails is kept and tried again with the next batch:
    telemetry never ends a training. What had to be dropped is said in a warning event.
    """

    def __init__(self, path: Path, batch_seconds: float = limits.EVENT_BATCH_SECONDS) -> None:
        self.path = path
        self.failures = 0
        self._batch_seconds = batch_seconds
        self._adding, self._writing = threading.Lock(), threading.Lock()
        self._pending: list[str] = []
        self._dropped = 0
        self._seen: set[tuple[Any, Any]] = set()
        self._wake, self._closed = threading.Event(), threading.Event()
        self._writer: threading.Thread | None = None
        reader = EventReader(path)
        earlier = reader.read()
        self._n = int(earlier[-1]["n"]) if earlier else 0
        self._base = max((float(e["t"]) for e in earlier[-50:]), default=0.0)
        self._start = time.monotonic()
        self._good = reader.offset
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._handle, self._good)  # a line torn by a crash would damage the middle once more follows

    @property
    def seconds(self) -> float:
        """Return the seconds the run has been going, earlier attempts included."""
        return self._base + time.monotonic() - self._start

    def start(self) -> None:
        """Begin to write in the background."""
        self._writer = threading.Thread(target=self._write_on, name="event writer", daemon=True)
        self._writer.start()

    def emit(self, event: Event) -> None:
        """Take one event; it reaches the disk within the batch time, turning points and the first of a sort at once."""
        with self._adding:
            if len(self._pending) >= PENDING_MOST:
                self._dropped += 1
                return
            self._stamp(event)
            sort = (event.get("kind"), event.get("arm"))
            if event.get("kind") in AT_ONCE or sort not in self._seen:
                self._seen.add(sort)
                self._wake.set()

    def _stamp(self, event: Event) -> None:
        self._n += 1
        self._pending.append(encode({"n": self._n, "t": round(self.seconds, 3), "utc": utc_now(), **event}))

    def _write_on(self) -> None:
        while not self._closed.is_set():
            self._wake.wait(self._batch_seconds)
            self._wake.clear()
            if not self.flush():
                self._closed.wait(self._batch_seconds)  # the disk refuses: don't ask it without pause

    def flush(self) -> bool:
        """Write what is waiting; False when the disk refused it."""
        with self._writing:
            with self._adding:
                lines, self._pending = self._pending, []
            if not lines:
                return True
            data = ("\n".join(lines) + "\n").encode("utf-8")
            try:
                view, at = memoryview(data), self._good
                while view:
                    done = os.pwrite(self._handle, view, at)
                    view, at = view[done:], at + done
                os.fsync(self._handle)
            except OSError:
                self.failures += 1
                with self._adding:
                    self._pending = lines + self._pending
                with contextlib.suppress(OSError):
                    os.ftruncate(self._handle, self._good)
                return False
            self._good += len(data)
            with self._adding:
                if self._dropped:
                    text = f"{self._dropped} events were lost because the disk refused them for too long."
                    self._dropped = 0
                    self._stamp({"kind": "warning", "code": "events_lost", "message": text, "hint": "Free disk space."})
            return True

    def close(self) -> bool:
        """Write what is waiting and close the file; False when the disk refused the last events."""
        self._closed.set()
        self._wake.set()
        if self._writer is not None:
            self._writer.join()
        written = self.flush() and self.flush()
        with self._writing:
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1
        return written
