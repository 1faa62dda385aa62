"""What-if: many variants of one lesson, compared on a map; before training, what the teacher's answers already tell."""

from __future__ import annotations

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.rows import RunRow
from kd_core.runs.store.runs import RunStore
from kd_core.runs.view.snapshot import Snapshot
from pages.ui.data import understanding
from pages.ui.result import result_tabs
from pages.ui.runs import run_head, silence, sweeps
from pages.ui.runs.run_head import ACTIVE
from pages.ui.shared import announcer, engine, example, session, text
from pages.ui.shared.text import escape, t
from pages.ui.what_if import (
    whatif_cell,
    whatif_draft,
    whatif_form,
    whatif_head,
    whatif_instant,
    whatif_list,
    whatif_live,
    whatif_map,
    whatif_reader,
    whatif_views,
)
from pages.ui.what_if.whatif_cells import Grid


def main() -> None:
    """Draw the page: a what-if when the address names one, else the form."""
    store = engine.store()
    st.title(t("what_if.title"), anchor=False)
    asked = st.query_params.get(session.RUN)
    if asked and sweeps.is_sweep(store, asked):
        one(store, asked)
        return
    if asked:  # an ordinary run stays the current one for the other pages
        _not_a_sweep(store, asked)
    form(store)


def _not_a_sweep(store: RunStore, run_id: str) -> None:
    try:
        name = store.get(run_id).name
    except KDError as error:
        text.show_error(error)
        return
    st.caption(t("what_if.not_a_sweep", name=name))


def form(store: RunStore) -> None:
    """Set up a what-if, see what the teacher's answers tell already, and find earlier ones."""
    st.markdown(t("what_if.lead"))
    _clone(store)
    dataset_id = session.dataset_id() or example.data()
    if not dataset_id:
        text.empty_state(t("what_if.no_data"), t("distill.choose_data"), "data.py", icon=":material/table_view:")
        whatif_list.show(store)
        return
    try:
        dataset = engine.library().spec(dataset_id)
        with st.spinner(t("distill.reading")):
            facts = understanding.facts(dataset_id, dataset)
        values = whatif_draft.load(dataset_id, dataset, facts)
    except KDError as error:
        text.show_error(error)
        text.empty_state(t("what_if.no_data"), t("distill.choose_data"), "data.py", icon=":material/table_view:")
        return
    if not session.dataset_id():
        example.data_note()
    if st.session_state.get("whatif_cloned"):
        st.info(t("what_if.cloned", run=str(st.session_state["whatif_cloned"])), icon=":material/content_copy:")
    values = whatif_form.show(dataset_id, dataset, facts, values)
    whatif_form.finish(dataset, facts, values)
    whatif_instant.show(dataset, facts.task, values["teacher"])
    whatif_list.show(store)


def _clone(store: RunStore) -> None:
    """Fill the form from `?clone=<run id>`, once."""
    run_id = st.query_params.get(session.CLONE)
    if not run_id:
        return
    st.query_params.pop(session.CLONE)
    try:
        whatif_cell.fill_form(store.folder(run_id).spec(), run_id)
    except KDError as error:
        text.show_error(error)


def one(store: RunStore, run_id: str) -> None:
    """Draw one what-if: while it trains, or what came of it."""
    if st.button(t("what_if.new"), icon=":material/arrow_back:", type="tertiary", key="whatif-back"):
        session.set_run(None)
        whatif_map.clear()
        st.session_state.pop("whatif_cloned", None)
        st.rerun()
    try:
        snapshot, row, folder = store.snapshot(run_id), store.get(run_id), store.folder(run_id)
    except KDError as error:
        text.show_error(error)
        return
    session.set_run(run_id)
    run_head.refused()
    run_head.show(store, row, snapshot)
    if snapshot.state in ACTIVE:
        silence.show(run_id)
        whatif_live.show(store, run_id, snapshot)
        return
    try:
        grid = whatif_reader.read(folder)
    except KDError as error:
        text.show_error(error)
        grid = None
    announcer.ended(snapshot)
    run_head.ended(row, snapshot, grid is not None)
    ended(store, row, snapshot, folder, grid or whatif_reader.of_progress(snapshot, active=False))


def ended(store: RunStore, row: RunRow, snapshot: Snapshot, folder: RunFolder, grid: Grid | None) -> None:
    """Draw what is known of a what-if that has ended."""
    if grid is None or grid.judged.empty:
        st.caption(t("what_if.nothing"))
        result_tabs.show_unfinished(store, row, snapshot)
        return
    whatif_head.line(grid, snapshot.elapsed_s, active=False, done=snapshot.trainings_done)
    if grid.result and grid.result["students"]:
        whatif_head.judgement(grid.result, grid, row.id)
    whatif_head.way(grid)
    whatif_head.lower_note(grid.metric)
    st.markdown(f"**{t('what_if.map.title')}**")
    chosen = grid.cell(whatif_map.picked())
    if grid.result and chosen is not None:
        left, right = st.columns([6, 5], gap="medium")
        with left:
            whatif_map.show(grid, row.id, live=False)
        with right:
            whatif_cell.show(folder, grid, chosen)
    else:
        whatif_map.show(grid, row.id, live=False)
        if whatif_map.picked() is not None:
            st.caption(t("what_if.map.gone", cell=escape(st.query_params.get(whatif_map.CELL))))
        elif grid.result:
            st.caption(t("what_if.map.hint"))
    whatif_head.missing(grid)
    whatif_head.warnings(snapshot, fold=True)
    whatif_views.show(folder, snapshot, grid)


main()
