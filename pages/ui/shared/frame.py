"""The shared frame: product name, pages, and two cards for the current dataset and the current run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.task import task_of
from pages.ui.access import aids
from pages.ui.runs import finished
from pages.ui.shared import engine, facts, session
from pages.ui.shared.text import escape, number, shorten, t
from pages.ui.words import glossary

STYLE = Path(__file__).parent.parent / "browser" / "frame.css"
AT_WORK = ("starting", "running", "cancelling")
ACTIVE = ("queued", *AT_WORK)


def sidebar(pages: Sequence[Any]) -> None:
    """Draw the frame beside the page."""
    st.html(STYLE)
    with st.sidebar:
        st.markdown(f"#### :material/school: {t('common.product')}")
        for page in pages:
            st.page_link(page, query_params=session.link())
        glossary.offer()
        st.space("small")
        _dataset_card()
        _run_card()
        aids.show()


def _dataset_card() -> None:
    with st.container(border=True, key="card-dataset", gap="xxsmall"):
        st.caption(t("common.your_data"))
        name, line, spec = None, "", None
        current, begun = session.dataset_id(), session.begun()
        if current:
            try:
                spec = engine.library().spec(current)
                name = spec.name or spec.source
                known = facts.kept(current)
                kind = spec.task or (
                    known.task if known else None
                )  # nobody has to choose one: it is told from the target
                task = escape(task_of(kind).title) if kind else ""
                line = t("common.dataset_line", rows=number(known.rows), task=task) if known else task
            except (KDError, OSError):
                line = t("common.dataset_gone")
        beside = ""
        if begun and begun[0] != (spec and spec.source):  # another file lies open than the one that all pages use
            beside = t("common.dataset_in_use", name=shorten(name)) if spec else ""
            name, line = begun[1], t("common.dataset_begun")
        if name:
            st.page_link("data.py", label=f"**{escape(shorten(name))}**", query_params=session.link())
        else:
            st.page_link("data.py", label=t("common.no_dataset_next"), icon=":material/upload_file:")
        for said in (line, beside):
            if said:
                st.caption(said)


def _run_card() -> None:
    current = session.run_id()
    row = None
    store = engine.store()
    if current:
        try:
            row = store.get(current)
        except KDError:
            row = None
    latest = store.list(limit=1)
    if row is None:
        row = latest[0] if latest else None
    newest = row is None or row.id == latest[0].id
    at_work = store.list(states=AT_WORK, limit=1)
    if at_work and row is not None and at_work[0].id != row.id:  # it stays in sight while another one is looked at
        with st.container(border=True, key="card-run-at-work", gap="xxsmall"):
            st.caption(t("common.run_at_work"))
            _run(at_work[0])
    with st.container(border=True, key="card-run", gap="xxsmall"):
        st.caption(t("common.your_run" if newest else "common.this_run"))
        if row is None:
            st.page_link(
                "distill.py", label=t("common.no_run_next"), icon=":material/play_circle:", query_params=session.link()
            )
            return
        _run(row)


def _run(row: Any) -> None:
    st.page_link("runs.py", label=f"**{escape(row.name or row.id)}**", query_params=session.link(run=row.id))
    _run_line(row)


def _run_line(row: Any) -> None:
    """State and progress; refreshed by itself while the run is active, but for its own page, which counts by itself and is drawn again where the state changes."""
    own_page = st.query_params.get(session.RUN) == row.id  # at two paces the numbers would differ on one screen

    @st.fragment(run_every=3.0 if row.state in ACTIVE and not own_page else None)
    def line() -> None:
        now = engine.store().get(row.id)
        state = t(f"common.states.{now.state}")
        if own_page:
            st.caption(state)
        elif now.state == "queued":
            place = engine.store().place(row.id)
            st.caption(f"{state} · {t('common.run_queued', place=place)}" if place else state)
        elif now.state in ACTIVE:
            try:
                found = engine.store().snapshot(row.id, 0)
            except KDError:  # removed or damaged meanwhile: its own page says what is wrong
                st.caption(state)
                return
            said = [state, *finished.units(found)[:1]]
            if found.outlook.round > 1:
                said.insert(1, t("runs.head.round_short", round=found.outlook.round))
            st.progress(min(1.0, max(0.0, found.progress)), text=" · ".join(said))
        else:
            st.caption(state)
        if now.state not in ACTIVE and row.state in ACTIVE:
            st.rerun()

    line()
