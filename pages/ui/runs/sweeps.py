"""Which runs are what-ifs. A recipe never changes, so each is read once."""

from __future__ import annotations

import functools
from pathlib import Path

from kd_core.errors import KDError
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.runs import RunStore


@functools.lru_cache(maxsize=4096)
def _read(path: Path) -> bool:
    return RunFolder(path).spec().sweep is not None


def is_sweep(store: RunStore, run_id: str) -> bool:
    """Say whether a run is a what-if; False for one that is gone or can't be read."""
    try:
        return _read(store.folder(run_id).path)
    except (KDError, OSError):
        return False


def page(store: RunStore, run_id: str) -> str:
    """Name the page that shows a run: What-if for a grid, else Runs."""
    return "what_if.py" if is_sweep(store, run_id) else "runs.py"
