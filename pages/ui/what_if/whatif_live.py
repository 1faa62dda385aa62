"""A what-if while it trains: one small fragment that reads a snapshot; its map fills as trainings go on."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.runs.store.folder import ACTIVE
from kd_core.runs.store.runs import RunStore
from pages.ui.runs import live
from pages.ui.shared.text import t
from pages.ui.what_if import whatif_head, whatif_map, whatif_reader, whatif_words
from pages.ui.what_if.answers import answer_line

TEACHER_POINTS = 60  # of the curves: a what-if has those of its teacher alone


def show(store: RunStore, run_id: str, snapshot: Any) -> None:
    """Draw the what-if and draw it again every few seconds; when it ends, the whole page is drawn once more."""
    live.again(store, run_id, snapshot, TEACHER_POINTS, draw)


def draw(now: Any) -> None:
    """Draw one snapshot."""
    grid = whatif_reader.of_progress(now, active=now.state in ACTIVE)
    if (now.plan or {}).get("adds") == "shuffled":
        st.info(t("what_if.live.shuffling"), icon=":material/shuffle:")
    if grid is not None:
        told = answer_line.so_far(now)
        if told is None and now.state != "queued":
            st.caption(t("what_if.live.no_best"))
        whatif_head.line(grid, active=True)
    with st.container(border=True, key="whatif-live-head"):
        live.progress(now)
        if now.phases and now.state != "queued":
            live.phases(now)
    if now.state == "queued":
        st.info(t("runs.live.waiting"), icon=":material/hourglass_empty:")
    elif grid is None:
        st.info(t("what_if.live.starting"), icon=":material/rocket_launch:")
    elif any(p.name == "teacher" and p.state == "running" for p in now.phases):
        st.caption(live.teaching(now))
    if grid is not None:
        whatif_head.way(grid)
        live.room(now)
        whatif_head.warnings(now)
        if len(grid.judged):
            whatif_map.show(grid, now.run_id, live=True)
            held = grid.best is not None
            st.caption(t(f"what_if.live.note{'_held' if held else ''}", seeds=whatif_words.seeds_shown(grid)))
            whatif_head.lower_note(grid.metric)
            answer_line.values(told, grid.metric)
        elif now.state != "queued":
            st.caption(t("what_if.live.waiting"))
    with st.expander(t("runs.live.log"), icon=":material/notes:"):
        live.log(now)
