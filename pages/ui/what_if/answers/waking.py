"""Notices on the page of a what-if that has ended that it trains again, as another window may have added to it."""

from __future__ import annotations

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.store.folder import ACTIVE
from kd_core.runs.store.runs import RunStore

EVERY = 4.0  # seconds


def watch(store: RunStore, run_id: str) -> None:
    """Look at the run's state every few seconds; once it trains, the whole page is drawn anew. Nothing is drawn here."""

    @st.fragment(run_every=EVERY)
    def look() -> None:
        try:
            state = store.get(run_id).state
        except KDError:  # removed meanwhile: whatever is pressed next says so
            return
        if state in ACTIVE:
            st.rerun()

    look()
