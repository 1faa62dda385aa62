"""Goals in the address of a page, so that a link shows the same answer: `goals=pr_auc;lost:1;kb:20;us:1000`."""

from __future__ import annotations

import math

import streamlit as st

from pages.ui.goals import form

SEEN = "goals.link"  # in the session: the goals of the address that the fields hold already
NAMES = {"lost": "teacher", "share": "share", "score": "absolute"}  # of how good, with the way it is told
COSTS = {"kb": "most-size", "us": "most-latency"}


def metric() -> str | None:
    """Name the metric that the goals of the address are of, where they are not in the fields yet."""
    said = st.query_params.get("goals")
    return said.split(";")[0] if said and said != st.session_state.get(SEEN) else None


def read(data: str, of: str, key: str = form.COMPARE) -> None:
    """Put the goals of the address into the form where they are of this metric and not in it yet; what is no number is no goal."""
    said = st.query_params.get("goals")
    if not said or said == st.session_state.get(SEEN):
        return
    st.session_state[SEEN] = said
    named, *parts = said.split(";")
    if named != of:
        return
    values: dict[str, object] = {f"{field}-{of}": None for field in form.FIELD.values()}
    for name, _, number in (part.partition(":") for part in parts):
        try:
            value = float(number)
        except ValueError:
            continue
        if not math.isfinite(value) or (value < 0 and name != "score"):
            continue
        if name in COSTS:
            values[COSTS[name]] = value
        elif name in NAMES:
            values |= {"way": NAMES[name], f"{form.FIELD[NAMES[name]]}-{of}": value}
    form.put(key, data, values)


def write(of: str, own: bool, key: str = form.COMPARE) -> None:
    """Put the goals that the fields hold into the address; those that the form opened with need no words there."""
    if not own:
        if st.query_params.pop("goals", None) is not None:
            st.session_state.pop(SEEN, None)
        return
    held = st.session_state
    way = held.get(f"{key}-way")
    told = {name: held.get(f"{key}-{form.FIELD[w]}-{of}") for name, w in NAMES.items() if w == way}
    told |= {name: held.get(f"{key}-{field}") for name, field in COSTS.items()}
    said = ";".join([of, *(f"{name}:{value:g}" for name, value in told.items() if value is not None)])
    held[SEEN] = said
    if st.query_params.get("goals") != said:
        st.query_params["goals"] = said
