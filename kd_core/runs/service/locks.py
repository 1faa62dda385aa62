"""Who is alive: kernel file locks, which vanish with their process, however it ends.

A process id proves nothing (ids are reused) and a clock can jump; a lock held by the kernel can do neither.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kd_core.errors import KDError


class LockFile:
    """An exclusive lock on a file, held until `release` or until the process is gone.

    The file keeps who holds it (process id and host), for messages only; it is never deleted,
    because deleting a locked file lets two processes lock two files of one name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False when another process, or another `LockFile`, has it."""
        if self._handle is not None:
            return True
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        with contextlib.suppress(OSError):  # the words are for messages; a full disk must not cost the lock
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
        return True

    @property
    def lost(self) -> bool:
        """Say whether the file that is locked no longer lies at its path: its folder was removed, moved or replaced."""
        if self._handle is None:
            return False
        held = os.fstat(self._handle)
        try:
            there = self.path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        return (held.st_dev, held.st_ino) != (there.st_dev, there.st_ino)

    def release(self) -> None:
        """Give the lock back; do nothing when it isn't held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def require(self, message: str, hint: str, code: str, **values: Any) -> Self:
        """Take the lock or say who has it. Errors: KDError; `{pid}` and `{host}` in the message are filled in."""
        if not self.acquire():
            raise KDError(message, hint, code, **{**holder(self.path), **values})
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.release()


def holder(path: Path) -> dict[str, Any]:
    """Read who wrote the lock file last; 'unknown' where nothing can be read."""
    try:
        found = json.loads(path.read_text("utf-8"))
        return {"pid": found["pid"], "host": found["host"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {"pid": "unknown", "host": "unknown"}


def end_holder(path: Path) -> bool:
    """Kill the process on this machine that holds a lock; False when none does.

    The id in the file is that of the process that holds the lock as long as it holds it.
    """
    found = holder(path)
    if not is_locked(path) or found["host"] != socket.gethostname() or found["pid"] in ("unknown", os.getpid()):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(found["pid"]), signal.SIGKILL)
    return True


def is_locked(path: Path) -> bool:
    """Say whether a living process holds the lock."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # there is none, or something that nobody can have locked, such as a link or a folder
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
