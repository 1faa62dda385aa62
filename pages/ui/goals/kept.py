"""Goals that a person asked for, kept for each data, so that no page asks for them again; and those that a run was started with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kd_core.runs.choosing import against
from kd_core.runs.store.rows import RunRow
from pages.ui.goals.candidates import Goals

ASKED = "goals.asked"  # in the session, for each data: the goals asked for
OPENED = "goals.opened"  # in the session, for each data: those of the run that Compare opened with


def data_of(row: RunRow) -> str:
    """Name the rows and the target of a run, which goals belong to."""
    return named(row.dataset_name, row.target)


def named(dataset: str | None, target: str | None) -> str:
    """Name data by its own name and its target."""
    return f"{dataset} → {target}"


def keep(data: str, goals: Goals, opened: Goals | None = None) -> None:
    """Remember the goals that a person asked for, in numbers, for the pages that ask for them, too; those that the form suggests are nobody's.

    `opened`: those of a run, which the form opened with: they are asked of other runs of this data as well.
    """
    asked = st.session_state.setdefault(ASKED, {})
    if goals.own:
        asked[data] = goals
    if opened is not None:
        st.session_state.setdefault(OPENED, {})[data] = opened


def kept(data: str, found: Mapping[str, Any] | None = None) -> Goals:
    """Return the goals that were asked for of models of this data, else those that this result's run was started with, else those of
    another run that Compare opened with; empty ones where none were."""
    held = st.session_state
    return held.get(ASKED, {}).get(data) or of_result(found or {}) or held.get(OPENED, {}).get(data) or Goals("")


def elsewhere(data: str) -> list[str]:
    """Name the other data that a person asked goals for."""
    return [name for name in st.session_state.get(ASKED, {}) if name != data]


def of_result(found: Mapping[str, Any]) -> Goals | None:
    """Return the goals with which a run was started that chose its student; None where there were none.

    The score was asked of validation rows. What may be lost is measured anew on the rows shown, against the teacher's score on these.
    """
    asked = (found.get("choice") or {}).get("goals") or {}
    most = {} if asked.get("bytes") is None else {"size": float(asked["bytes"])}
    most |= {} if asked.get("microseconds") is None else {"latency": asked["microseconds"] / 1000}
    if not asked:
        return None
    metric, worst, lost = found["metric"]["name"], asked.get("score"), asked.get("lost")
    teacher = ((found.get("teacher") or {}).get("metrics") or {}).get(metric)
    if lost is not None and teacher is not None:
        goals = Goals(metric, against.least(lost, metric, teacher), most, against.amount(lost, metric, teacher))
    else:
        goals = Goals(metric, worst, most)
    return None if goals.empty else goals
