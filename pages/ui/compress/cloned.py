"""A run that made a student smaller, opened again as it was asked for: its chains or its search, and its goals."""

from __future__ import annotations

import streamlit as st

from kd_core.errors import KDError
from kd_core.requests.compress_spec import CompressSpec
from pages.ui.compress import chains
from pages.ui.compress.chains import Steps
from pages.ui.shared import engine, session

FILLED = "compress_cloned"  # in the session: the run whose settings the form was filled with
KB = 1024


def go(run: str, asked: CompressSpec) -> None:
    """Open Compress with what a run asked for; does not return."""
    st.session_state.pop(FILLED, None)
    st.session_state.pop(f"compress-student-{asked.run}", None)
    session.go("compress.py", run=asked.run, student=asked.student, clone=run)


def fill(key: str, run: str, student: str, possible: Steps) -> None:
    """Fill the form for a student with what the run in the address asked for, once; what a person changes then stays."""
    clone = st.query_params.get(session.CLONE)
    again = st.session_state.get(FILLED) == clone
    if not clone or (again and f"{key}.way" in st.session_state):
        return  # filled already; widgets forget what they held when their page is left, and then it is filled again
    try:
        asked = engine.store().folder(clone).spec().compress
    except KDError:
        return
    if asked is None or (asked.run, asked.student) != (run, student):
        return
    st.session_state[FILLED] = clone
    told = {
        "way": "chains" if asked.chains else "search",
        "most_lost": asked.most_lost,
        "kb": None if asked.bytes is None else asked.bytes / KB,
        "us": asked.microseconds,
        **({} if asked.chains else {"minutes": asked.minutes}),
    }
    st.session_state.update({f"{key}.{name}": value for name, value in told.items()})
    if asked.chains and not again and all(step.name in possible for chain in asked.chains for step in chain):
        plain = [[step.model_dump(mode="json") for step in chain] for chain in asked.chains]
        st.session_state[f"{key}.chains"] = [chains.made(chain) for chain in plain]
