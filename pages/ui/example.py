"""The shipped example: a real finished run, kept with its spec, hardware and date."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import streamlit as st

from kd_core import safe_io
from kd_core.runs.folder import RunFolder
from kd_core.specs import RunSpec
from kd_core.workspace import samples, workspace
from pages.ui import engine

FOLDER = samples() / "example"


@st.cache_resource(max_entries=2, show_spinner=False)
def _read(path: str, stamp: int) -> tuple[RunSpec, dict[str, Any]]:
    folder = Path(path)
    return RunFolder(folder).spec(), safe_io.read_json(folder / "result.json")


def read() -> tuple[RunSpec, dict[str, Any]] | None:
    """Return the example's spec and result, or None when none is shipped."""
    result = FOLDER / "result.json"
    if not result.is_file() or not (FOLDER / "spec.json").is_file():
        return None
    return _read(str(FOLDER), result.stat().st_mtime_ns)


def adopt() -> tuple[str, str]:
    """Put the example among the workspace's runs, once; return its dataset id and run id."""
    spec = RunFolder(FOLDER).spec()
    run_id = f"example-{spec.work_hash()[:8]}"
    target = safe_io.inside(workspace() / "runs", run_id)
    if not target.is_dir():
        fresh = target.with_name(f".{run_id}.new")  # hidden from the list of runs until it is whole
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(FOLDER, fresh)
        fresh.rename(target)
    engine.store().refresh(run_id)
    return engine.library().save_spec(spec.dataset), run_id
