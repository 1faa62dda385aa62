"""What-if: many variants of one lesson set up; before training, what the teacher's answers already tell."""

from __future__ import annotations

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.store.runs import RunStore
from pages.ui.data import understanding
from pages.ui.shared import engine, example, session, text
from pages.ui.shared.text import t
from pages.ui.what_if import whatif_cell, whatif_draft, whatif_form, whatif_instant, whatif_list, whatif_map


def main() -> None:
    """Draw the form. A run that the address names is shown where all runs are."""
    if asked := st.query_params.get(session.RUN):
        session.go("runs.py", run=asked, cell=st.query_params.get(whatif_map.CELL))
    st.title(t("what_if.title"), anchor=False)
    form(engine.store())


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
        _of_the_run(store)
    if st.session_state.get("whatif_cloned"):
        st.info(t("what_if.cloned", run=str(st.session_state["whatif_cloned"])), icon=":material/content_copy:")
    values = whatif_form.show(dataset_id, dataset, facts, values)
    whatif_form.finish(dataset, facts, values)
    whatif_instant.show(dataset, facts.task, values["teacher"])
    whatif_list.show(store)


def _of_the_run(store: RunStore) -> None:
    """Offer the data of the run that was looked at last, where none was chosen."""
    try:
        data = store.folder(session.run_id() or "").spec().dataset
    except KDError:  # none was looked at, or it is gone
        return
    if st.button(
        t("what_if.of_the_run", name=data.name or data.source), key="whatif-of-run", icon=":material/history:"
    ):
        session.go("what_if.py", data=engine.library().save_spec(data))


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


main()
