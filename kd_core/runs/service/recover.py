"""What a server finds when it starts: runs that a dead process left behind, runs still alive, and damaged ones."""

from __future__ import annotations

import contextlib
import logging

from kd_core.errors import KDError
from kd_core.runs.service.locks import LockFile
from kd_core.runs.store.events import utc_now
from kd_core.runs.store.folder import DAMAGED, RunFolder
from kd_core.runs.store.rows import RunError
from kd_core.runs.store.runs import RunStore

LOST = ("starting", "running", "cancelling")
log = logging.getLogger(__name__)


def recover(store: RunStore) -> tuple[str, ...]:
    """Give every run without a living process its true state; return the ids of those still being carried out.

    A run that can't be settled, whatever the reason, is marked damaged: one run never keeps a server from starting.
    """
    store.adopt()
    alive = []
    for row in store.list(states=LOST, limit=1_000_000):
        try:
            if not settle(store, row.id):
                alive.append(row.id)
        except Exception as error:
            log.exception("run %s can't be recovered", row.id)
            give_up(store, row.id, error)
    return tuple(alive)


def settle(store: RunStore, run_id: str, error: RunError | None = None, state: str = "interrupted") -> bool:
    """Write down that a run's process is gone; False when it is still alive.

    A run that reached its ending keeps it. `error` and `state` say how else it ended. One whose folder is gone or
    damaged is marked so.
    """
    try:
        folder = store.folder(run_id)
    except KDError:
        store.refresh(run_id)
        return True
    lock = LockFile(folder.lock_path)
    if not lock.acquire():
        return False
    with lock:
        try:
            if folder.status().get("state") in LOST:
                reached = _reached(folder)
                end(folder, reached or state, None if reached else error, say=reached is None)
        except KDError as problem:
            if problem.code not in ("run_damaged", "folder_gone"):
                raise
    store.refresh(run_id)
    return True


def _reached(folder: RunFolder) -> str | None:
    """Return the ending a run reached before its process was gone, or None; a damaged manifest is none."""
    try:
        manifest = folder.manifest()
    except KDError:
        return None
    return str(manifest["state"]) if manifest is not None else None


def end(folder: RunFolder, state: str, error: RunError | None, *, say: bool = True) -> None:
    """Write an ending for a run that nobody carries out; the caller holds its lock or knows it never started.

    A run whose events can't be read ends as damaged.
    """
    seconds = 0.0
    (folder.path / "reserve").unlink(
        missing_ok=True
    )  # first: on a full disk it is the space that the rest is written to
    try:
        if say:
            folder.append_events([{"kind": "state", "state": state, **_said(error)}])
        seconds = float(next((e["t"] for e in reversed(folder.events())), 0.0))
    except KDError as problem:
        if problem.code != "events_damaged":
            raise
        state, error = DAMAGED, RunError(problem.code, problem.message, problem.hint)
    folder.write_status(
        state=state, ended_utc=utc_now(), seconds=seconds, error=_said(error) or None, queue_number=None
    )
    folder.stop_path.unlink(missing_ok=True)


def give_up(store: RunStore, run_id: str, error: Exception) -> None:
    """Mark a run damaged that can't be settled or started, in its folder where that can be written."""
    code, hint = getattr(error, "code", "run_damaged"), getattr(error, "hint", "")
    why = error.message if isinstance(error, KDError) else f"{type(error).__name__}: {error}"
    said = RunError(
        str(code), f"Run {run_id} can't go on. {why}", str(hint) or "Delete the run, or restore its folder."
    )
    with contextlib.suppress(KDError, OSError, ValueError):  # the list says it in any case
        store.folder(run_id).write_status(state=DAMAGED, ended_utc=utc_now(), error=_said(said), queue_number=None)
    store.mark_damaged(run_id, said)


def _said(error: RunError | None) -> dict[str, str]:
    if error is None:
        return {}
    return {"code": error.code, "message": error.message, "hint": error.hint, "error_id": error.error_id}
