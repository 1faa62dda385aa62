"""The what-ifs of the workspace: the newest first, with what came of them."""

from __future__ import annotations

import streamlit as st

from kd_core.runs.store.runs import RunStore
from pages.ui.result import differences
from pages.ui.runs import run_head, run_list
from pages.ui.shared import session, text
from pages.ui.shared.text import escape, t

LISTED = 8


def show(store: RunStore) -> None:
    """List the newest what-ifs, each a link to its map."""
    found, count = store.list(sweep=True, limit=LISTED), store.count(sweep=True)
    st.subheader(t("what_if.list.title"), anchor=False)
    if not found:
        st.caption(t("what_if.list.none"))
        return
    names = text.shorten_all([r.name for r in found], 60)
    for row, name in zip(found, names, strict=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.page_link(
                "runs.py", label=f"**{escape(name)}**", icon=":material/grid_on:", query_params=session.link(run=row.id)
            )
            run_head.badge(row.state)
            said = [row.dataset_name, (row.started_utc or row.created_utc)[:16].replace("T", " ")]
            if row.headline and row.headline.verdict:
                gain = run_list.gain_cell(row.headline)
                by = f" {gain} {differences.metric_title(row.headline.metric)}" if gain else ""
                said.insert(1, f"{run_list.verdict_cell(row.headline)}{by}")
                said.insert(2, t("what_if.list.versus", value=run_list.versus_cell(row.headline) or "–"))
            st.caption(" · ".join(escape(s) for s in said), width="content")
    if count > LISTED:
        st.caption(t("what_if.list.more", shown=LISTED, of=text.exact(count)))
        st.page_link("runs.py", label=t("what_if.list.all"), icon=":material/list:", query_params=session.link())
