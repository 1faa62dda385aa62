"""Goals that a person asked for, kept for each data, so that no page asks for them again."""

from __future__ import annotations

import streamlit as st

from kd_core.runs.store.rows import RunRow
from pages.ui.result.goals import Goals

ASKED = "goals.asked"  # in the session, for each data: the goals asked for
OPENED = "goals.opened"  # in the session, for each data and what is asked about: the goals that the form opened with


def data_of(row: RunRow) -> str:
    """Name the rows and the target of a run, which goals belong to."""
    return f"{row.dataset_name} → {row.target}"


def keep(data: str, goals: Goals) -> None:
    """Remember the goals that a person asked for, in numbers, for the pages that ask for them, too; those that the form opened with are nobody's."""
    asked = st.session_state.setdefault(ASKED, {})
    opened = st.session_state.setdefault(OPENED, {}).setdefault((data, goals.metric, *goals.most), goals)
    if data in asked or goals != opened or st.session_state.get("goal-way") == "absolute":
        asked[data] = goals


def kept(data: str) -> Goals:
    """Return the goals that were asked for of models of this data; empty ones where none were."""
    return st.session_state.get(ASKED, {}).get(data) or Goals("")
