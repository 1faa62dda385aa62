"""Runs: the list, a run while it trains, and what came of it."""

from __future__ import annotations

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs import grid
from pages.ui import engine, live, result, run_head, run_list, session, text
from pages.ui.run_head import ACTIVE
from pages.ui.text import t

store = engine.store()
run_id = st.query_params.get("run")

for notice in store.take_notices():
    st.info(text.escape(notice), icon=":material/info:")

if not run_id:
    st.title(t("runs.title_list"), anchor=False)
    st.caption(t("runs.list_note"))
    run_list.show(store)
    st.stop()

if st.button(t("runs.all_runs"), icon=":material/arrow_back:", type="tertiary", key="runs-back"):
    st.query_params.pop("run", None)
    st.rerun()

try:
    snapshot = store.snapshot(run_id)
    row = store.get(run_id)
except KDError as error:
    text.show_error(error)
    st.stop()

session.set_run(run_id)
active = snapshot.state in ACTIVE
found = None if active else store.folder(run_id).result()
judged = bool(found and found.get("students"))
st.title(t("runs.title" if active else "runs.title_result" if judged else "runs.title_ended"), anchor=False)
run_head.refused()
run_head.show(store, row, snapshot)
if snapshot.spec.sweep is not None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="runs-sweep"):
        variants = grid.count(snapshot.spec).variants
        note = "runs.sweep_note_active" if active else "runs.sweep_note" if judged else "runs.sweep_note_plain"
        st.markdown(t(note, variants=text.exact(variants)), width="stretch")
        if st.button(t("runs.sweep_open"), key="runs-sweep-open", icon=":material/grid_on:"):
            session.go("what_if.py", run=run_id)
if active:
    live.show(store, run_id, snapshot)
else:
    run_head.ended(row, snapshot, judged)
    result.show(store, row, snapshot, found)
