"""Which runs keep what making a student smaller starts from, and the link to there from a finished run."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from kd_core.runs.store.folder import RunFolder
from kd_core.specs import RunSpec
from pages.ui.shared import engine, session
from pages.ui.shared.text import t


def kept(run: str) -> bool:
    """Say whether a run keeps the weights of its trainings; the shipped example and runs that made a student smaller do not."""
    checkpoints = engine.store().folder(run).checkpoints
    return any(
        Path(place).name == "trained" and any(file.endswith(".json") for file in files)
        for place, _, files in os.walk(checkpoints)
    )


def students(folder: RunFolder) -> list[str]:
    """Name the students of a run, without the plain models beside them. Errors: KDError `run_damaged`."""
    return [str(one["name"]) for one in (folder.result() or {}).get("students", ())]


def link(run: str, spec: RunSpec, student: str) -> None:
    """Show the way from a finished run to making its student smaller, where that can be done."""
    if spec.sweep is None and spec.compress is None and spec.continues is None and kept(run):
        where = session.link(run=run, student=student)
        st.page_link(
            "compress.py",
            label=t("compress.link"),
            icon=":material/compress:",
            query_params=where,
            help=t("compress.link_help"),
        )
