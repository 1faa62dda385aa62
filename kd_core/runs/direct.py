"""A run without a server: the command line's way to the same engine, folder and result."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kd_core.errors import DataError, KDError, SpecError, Stopped, UnknownName
from kd_core.runs import experiment
from kd_core.runs.service.execution import Execution, StopSignal
from kd_core.runs.store.events import utc_now
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.runs import RunStore, new_id
from kd_core.specs import RunSpec
from kd_core.workspace import workspace

Notify = Callable[[dict[str, Any]], None]


def run_here(spec: RunSpec, out: Path | None, on_event: Notify, stop: StopSignal) -> tuple[dict[str, Any], Path]:
    """Carry out a spec in this process; return the result and the run's folder.

    `out` may hold an unfinished run of the same work, which then goes on; None makes a run in the workspace.
    A run that is refused before any training leaves no folder `out` behind that was not there before.
    Errors: KDError `run_exists` when `out` holds other work or a finished run; Stopped when nothing could be kept;
    whatever the run itself raises.
    """
    store = RunStore(workspace()) if out is None else None
    new = out is not None and not out.exists()
    folder = _open(spec, store.runs / new_id() if store else Path(out or ""))
    raised: list[KDError] = []

    def run(*args: Any) -> dict[str, Any]:
        try:
            return experiment.run(*args)
        except KDError as error:
            raised.append(error)
            raise

    ending = Execution(folder, run, stop, on_event).carry_out()
    if store:
        store.refresh(folder.id)
    if raised:
        if new and isinstance(
            raised[0], DataError | SpecError | UnknownName
        ):  # refused: what is mended may take its place
            shutil.rmtree(folder.path)
        raise raised[0]
    if ending.error:
        raise KDError(ending.error.message, ending.error.hint, ending.error.code)
    result = folder.result()
    if result is None:
        raise Stopped("Stopped before a student was trained; nothing to compare yet.")
    return result, folder.path


def _open(spec: RunSpec, path: Path) -> RunFolder:
    folder = RunFolder(path)
    if not folder.spec_path.exists():
        return RunFolder.create(path, spec, created_utc=utc_now(), attempts=0)
    if folder.complete or folder.spec().work_hash() != spec.work_hash():
        what = "a finished run" if folder.complete else "an unfinished run of other work"
        raise KDError(
            "The folder {path} already holds {what}.",
            "Choose another folder, or remove this one.",
            "run_exists",
            path=path,
            what=what,
        )
    return folder
