"""What a server finds when it starts: runs that a dead process left behind, and runs still alive."""

from __future__ import annotations

from kd_core.runs.events import utc_now
from kd_core.runs.folder import RunFolder
from kd_core.runs.locks import LockFile
from kd_core.runs.rows import RunError
from kd_core.runs.store import RunStore

LOST = ("starting", "running", "cancelling")


def recover(store: RunStore) -> tuple[str, ...]:
    """Give every run without a living process its true state; return the ids of those still being carried out."""
    store.adopt()
    alive = []
    for row in store.list(states=LOST, limit=1_000_000):
        if settle(store, row.id):
            continue
        alive.append(row.id)
    return tuple(alive)


def settle(store: RunStore, run_id: str, error: RunError | None = None, state: str = "interrupted") -> bool:
    """Write down that a run's process is gone; False when it is still alive.

    A run that reached its ending keeps it. `error` and `state` say how else it ended.
    """
    folder = store.folder(run_id)
    lock = LockFile(folder.lock_path)
    if not lock.acquire():
        return False
    with lock:
        if folder.status().get("state") in LOST:
            manifest = folder.manifest()
            if manifest is not None:
                end(folder, str(manifest["state"]), None, say=False)
            else:
                end(folder, state, error)
    store.refresh(run_id)
    return True


def end(folder: RunFolder, state: str, error: RunError | None, *, say: bool = True) -> None:
    """Write an ending for a run that nobody carries out; the caller holds its lock or knows it never started."""
    said = (
        {"code": error.code, "message": error.message, "hint": error.hint, "error_id": error.error_id}
        if error
        else None
    )
    if say:
        folder.append_events([{"kind": "state", "state": state, **(said or {})}])
    last = folder.events()[-1:]
    folder.write_status(
        state=state, ended_utc=utc_now(), seconds=last[0]["t"] if last else 0.0, error=said, queue_number=None
    )
    (folder.path / "reserve").unlink(missing_ok=True)
    folder.stop_path.unlink(missing_ok=True)
