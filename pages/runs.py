"""Runs: the list, a run while it trains, and what came of it."""

from __future__ import annotations

import streamlit as st

from kd_core.errors import KDError
from pages.ui.result import page
from pages.ui.runs import live, run_head, run_list
from pages.ui.runs.run_head import ACTIVE
from pages.ui.shared import announcer, engine, findings, session, text
from pages.ui.shared.text import t
from pages.ui.what_if import whatif_live, whatif_map
from pages.ui.what_if.answers import waking

OPENED = "runs.opened"  # in the session: a run's own page was drawn last
store = engine.store()
run_id = st.query_params.get("run")

for notice in store.take_notices():
    st.info(text.escape(notice), icon=":material/info:")

if not run_id:
    if st.session_state.pop(OPENED, None):
        # The browser leaves the run in its address where the list is opened from the run's own page, and would ask for it again.
        st.query_params.from_dict(st.query_params.to_dict())
    st.title(t("runs.title_list"), anchor=False)
    st.caption(t("runs.list_note"))
    run_list.show(store)
    st.stop()

st.session_state[OPENED] = True
if st.button(t("runs.all_runs"), icon=":material/arrow_back:", type="tertiary", key="runs-back"):
    st.query_params.pop("run", None)
    whatif_map.clear()
    st.rerun()

try:
    row = store.get(run_id)
    if row.state == "damaged":
        row = store.refresh(run_id)  # its files may have been put back
    if row.state == "damaged":
        run_head.damaged(store, row)
        st.stop()
    snapshot = store.snapshot(run_id)
    active = snapshot.state in ACTIVE
    folder = store.folder(run_id)
    found = None if active else folder.result()
    folder.manifest()  # one that can't be read is damage, too
except KDError as error:
    run_head.unreadable(store, run_id, error)
    st.stop()

session.set_run(run_id)
judged = bool(found and found.get("students"))
made = "compress.title" if found and found.get("compressed") else "runs.title_result"
st.title(t("runs.title" if active else made if judged else "runs.title_ended"), anchor=False)
run_head.refused()
run_head.show(store, row, snapshot, found)
if active:
    (live if snapshot.spec.sweep is None else whatif_live).show(store, run_id, snapshot)
else:
    announcer.ended(snapshot, findings.of_verdict(found))
    run_head.ended(row, snapshot, judged)
    page.show(store, row, snapshot, found)
    if snapshot.spec.sweep is not None:
        waking.watch(store, run_id)
