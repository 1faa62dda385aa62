"""A full disk: recognised wherever it shows, and said with the space that is free and the space that is needed."""

from __future__ import annotations

import errno
import shutil
import signal
from pathlib import Path

from kd_core import limits
from kd_core.errors import KDError
from kd_core.runs.store.rows import RunError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_WORDS = ("No space left on device", "Disk quota exceeded", "database or disk is full")
_PASSING = (*_FULL, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR)
NOTHING_FREE_BYTES = 16 * 2**20  # a worker that crashes with so little left had no room for its next file


def is_full(error: BaseException | None) -> bool:
    """Say whether a full disk is behind an error, also where a library or another error stands before it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if (isinstance(error, OSError) and error.errno in _FULL) or any(w in str(error) for w in _FULL_WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False


def may_pass(error: BaseException) -> bool:
    """Say whether an error can go by itself: a full disk, a busy list of runs, too little memory or too many files."""
    if isinstance(error, KDError):
        return error.code in ("index_refused", "events_refused")
    return isinstance(error, MemoryError) or is_full(error) or (isinstance(error, OSError) and error.errno in _PASSING)


def crashed_for_space(path: Path, status: int) -> bool:
    """Say whether a worker that ended with `status` (negative: the signal) was stopped by a full disk.

    Writing to a mapped file on a full disk is no error but the signal SIGBUS.
    """
    most = limits.MIN_FREE_DISK_BYTES if status == -signal.SIGBUS else NOTHING_FREE_BYTES
    return shutil.disk_usage(path).free < most


def disk_full(path: Path, error_id: str = "") -> RunError:
    """Say how much space is free and how much a run needs."""
    free, need = shutil.disk_usage(path).free / 2**20, limits.MIN_FREE_DISK_BYTES / 2**20
    return RunError(
        "disk_full",
        f"The disk is full: {free:,.0f} MB free, {need:,.0f} MB needed. The last checkpoint is kept.",
        "Delete runs or other files, then resume this run.",
        error_id,
    )
