"""The shipped examples: real finished runs, kept with their spec, hardware and date; the first is that of Start."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import streamlit as st

from kd_core import safe_io
from kd_core.errors import KDError
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.runs import RunStore
from kd_core.specs import RunSpec
from kd_core.workspace import samples, workspace
from pages.ui.shared import engine, session, text
from pages.ui.shared.text import t

FOLDER = samples() / "example"
MESSAGES = samples() / "example_messages"  # texts of twelve classes
PREFIX = "example-"


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


def is_example(run_id: str) -> bool:
    """Say whether a run is the shipped example."""
    return run_id.startswith(PREFIX)


def data() -> str | None:
    """Put the example's data among the workspace's, without making it the current one; None when none is shipped."""
    found = read()
    return engine.library().save_spec(found[0].dataset) if found else None


def stand_in() -> str | None:
    """Put the example among the runs, for a page that has no other to show; None when none is shipped.

    A workspace that can't be written is told on the page.
    """
    try:
        return adopt()[1] if read() else None
    except (KDError, OSError) as error:
        text.show_error(error)
        return None


def data_note() -> None:
    """Say that no data was chosen, so that a page shows the example's; the way to one's own is beside it."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="example-note"):
        st.markdown(f":material/lightbulb: {t('common.example.data')}", width="stretch")
        if st.button(t("common.example.choose"), key="example-choose", icon=":material/upload_file:"):
            session.go("data.py", data=None)


def run_note(store: RunStore) -> None:
    """Say that the run shown is a shipped example, as long as no other has ended."""
    ended = store.list(states=("done", "cancelled"), limit=3)
    if ended and all(is_example(run.id) for run in ended):
        with st.container(border=True, horizontal=True, vertical_alignment="center", key="example-note"):
            st.markdown(f":material/lightbulb: {t('common.example.run')}", width="stretch")
            if st.button(t("common.example.set_up"), key="example-set-up", icon=":material/school:"):
                session.go("distill.py")


def messages_note() -> None:
    """Offer the example of texts of twelve classes, where what is shown has two."""
    with st.container(horizontal=True, vertical_alignment="center", key="example-messages-note"):
        st.caption(t("common.example.messages"), width="stretch")
        if st.button(t("common.example.messages_open"), key="example-messages", icon=":material/forum:"):
            try:
                session.go("soft_labels.py", run=adopt(MESSAGES)[1])
            except (KDError, OSError) as error:
                text.show_error(error)


def adopt(folder: Path = FOLDER) -> tuple[str, str]:
    """Put an example among the workspace's runs, once; return its dataset id and run id."""
    spec = RunFolder(folder).spec()
    run_id = f"{PREFIX}{spec.work_hash()[:8]}"
    target = safe_io.inside(workspace() / "runs", run_id)
    if not target.is_dir():
        fresh = target.with_name(f".{run_id}.new")  # hidden from the list of runs until it is whole
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(folder, fresh)
        fresh.rename(target)
    engine.store().refresh(run_id)
    return engine.library().save_spec(spec.dataset), run_id
