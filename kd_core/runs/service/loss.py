"""What became of a run whose worker process is gone, in words: stopped, killed, crashed, frozen, or out of disk space."""

from __future__ import annotations

import secrets
import signal
from pathlib import Path

from kd_core.runs.service.disk import crashed_for_space, disk_full
from kd_core.runs.store.rows import RunError


def explain(root: Path, status: int, *, stop_asked: bool, frozen: bool) -> tuple[RunError | None, str]:
    """Return why a run was lost, and its state. `status`: exit status of the worker (negative: the signal).

    `stop_asked`: a person had stopped the run; `frozen`: a person ended a worker that made no progress.
    """
    error_id = secrets.token_hex(4)
    if frozen:
        return RunError(
            "worker_frozen",
            "The worker process made no progress and was ended.",
            "Resume the run; it goes on from its last checkpoint.",
            error_id,
        ), "interrupted"
    if stop_asked:
        if not status:
            return None, "cancelled"
        return RunError(
            "stopped_hard",
            "The run did not stop in time and was ended; nothing could be kept.",
            "Start it again, or clone it.",
            error_id,
        ), "cancelled"
    if status == 0:
        return None, "interrupted"
    if status in (-signal.SIGKILL, -signal.SIGTERM):
        return RunError(
            "worker_killed",
            "The worker process was ended from outside, perhaps because memory ran out.",
            "Resume the run; it goes on from its last checkpoint.",
            error_id,
        ), "interrupted"
    if crashed_for_space(root, status):
        return disk_full(root, error_id), "interrupted"
    return RunError(
        "worker_crashed",
        f"The worker process crashed ({how(status)}).",
        f"The trace is in worker.log of the workspace (error id {error_id}).",
        error_id,
    ), "failed"


def how(status: int) -> str:
    """Name an exit status, or the signal that a process died of."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"
