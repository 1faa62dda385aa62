"""Handing a spec to the job service, and the offer to open what exactly this spec gave before."""

from __future__ import annotations

import streamlit as st

from kd_core.errors import KDError
from kd_core.specs import RunSpec
from pages.ui import engine, session, text
from pages.ui.text import t


def start(spec: RunSpec, page: str, *, again: bool = False) -> None:
    """Queue a run and go and watch it on a page; a refusal is shown with its reason."""
    try:
        run_id = engine.jobs().submit(spec, click=session.click_token(page), again=again)
    except KDError as error:
        text.show_error(error)
        return
    session.spend_click(page)
    for cloned in ("distill_cloned", "whatif_cloned"):
        st.session_state.pop(cloned, None)
    session.set_run(run_id)
    session.go(page, run=run_id)


def same_work(spec: RunSpec | None, page: str, key: str) -> None:
    """Offer the finished run of exactly this work, and to do it again."""
    done = engine.store().find_work(spec.work_hash(), ("done",)) if spec else None
    if done is None or spec is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(t("distill.done_before"), width="content")
        if st.button(t("distill.open_result"), key=f"{key}-open"):
            session.go(page, run=done.id)
        if st.button(t("distill.again"), key=f"{key}-again"):
            start(spec, page, again=True)
