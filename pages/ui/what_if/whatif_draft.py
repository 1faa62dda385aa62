"""A what-if being set up, kept per dataset in the workspace, so that leaving, refreshing or a restart loses nothing."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import streamlit as st

from kd_core import safe_io
from kd_core.errors import KDError
from kd_core.runs.outcome import read_outcome
from kd_core.specs import DatasetSpec, RunSpec, StudentSpec
from kd_core.workspace import workspace
from pages.ui.runs import draft
from pages.ui.shared import engine, forms, session
from pages.ui.shared.facts import Facts

KEY = "whatif"  # prefix of every widget of the form
HELD = "whatif_draft"
TEMPERATURES = (1.0, 2.0, 4.0, 8.0, 16.0)
ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)


def _path(dataset_id: str) -> Path:
    return safe_io.inside(workspace() / "drafts", f"{dataset_id}.whatif.json")


def defaults(dataset: DatasetSpec, facts: Facts) -> dict[str, Any]:
    """A grid of T and alpha for the student of the run looked at, with that run's own T and alpha in it, else the first that Distill would offer; 3 seeds."""
    from kd_core.distill import LOSSES

    values = {n: v for n, v in draft.defaults(dataset, facts).items() if n != "choose"}  # cells are compared instead
    soft = "temperature" in LOSSES.get(values["objective"]["name"]).spec.model_fields
    spec, mine = run_looked_at(dataset)
    lesson = LOSSES.get(spec.objective.name).spec.parse(spec.objective.settings).model_dump() if spec else {}
    sweep = {
        "temperature": with_own(TEMPERATURES, lesson.get("temperature")) if soft else [],
        "alpha": [] if dataset.answer_columns else with_own(ALPHAS, lesson.get("alpha")),
    }
    training = {**values["training"], "seeds": 3}
    students = [mine.model_dump(mode="json")] if mine and varies(mine.arch.name) else values["students"][:1]
    return {**values, "name": "", "students": students, "training": training, "sweep": sweep}


def with_own(values: tuple[float, ...], own: float | None) -> list[float]:
    """Put a run's own value in the place of the nearest, so that the map answers whether another had been better; no end of a share is given up for it.

    Example:
        >>> with_own((0.0, 0.25, 0.5, 0.75, 1.0), 0.7)
        [0.0, 0.25, 0.5, 0.7, 1.0]
    """
    if own is None or own in values:
        return list(values)
    nearest = min((v for v in values if v not in (0.0, 1.0)), key=lambda v: abs(v - own))
    return sorted({*values, own} - {nearest})


def varies(arch: str) -> bool:
    """Say whether a kind of student can be varied: one that is grown step by step takes its settings once, not cell by cell."""
    from kd_core.models.base import by_rounds

    return not by_rounds(arch)


def run_looked_at(dataset: DatasetSpec) -> tuple[RunSpec | None, StudentSpec | None]:
    """Return the run looked at last, where it had the same data, and the student that it shows first."""
    try:
        folder = engine.store().folder(session.run_id() or "")
        spec, found = folder.spec(), read_outcome(folder.result() or {})
    except KDError:  # none was looked at, or it has no result
        return None, None
    if spec.dataset != dataset:
        return None, None
    best = found.students[found.best].name if found.students else None
    return spec, next((s for s in spec.students if s.name == best), None)


def load(dataset_id: str, dataset: DatasetSpec, facts: Facts) -> dict[str, Any]:
    """Return the draft of a dataset: this session's, the kept one, or the defaults."""
    held = st.session_state.get(HELD)
    if held and held["dataset_id"] == dataset_id:
        found: dict[str, Any] = held["values"]
        return found
    return put(dataset_id, draft.kept(_path(dataset_id), dataset) or defaults(dataset, facts))


def put(dataset_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """Make values the draft; the form's widgets take them the next time they are drawn."""
    forms.forget(f"{KEY}.")
    values = {**values, "sweep": values.get("sweep") or {}}
    st.session_state[HELD] = {"dataset_id": dataset_id, "values": values}
    return values


def keep(dataset_id: str, values: dict[str, Any]) -> None:
    """Remember the draft in the session, and on disk when it changed."""
    held = st.session_state.get(HELD, {})
    saved = held.get("saved")
    if saved != values and values["students"]:
        _path(dataset_id).parent.mkdir(parents=True, exist_ok=True)
        safe_io.write_json(_path(dataset_id), values)
        saved = deepcopy(values)
    st.session_state[HELD] = {"dataset_id": dataset_id, "values": values, "saved": saved}
