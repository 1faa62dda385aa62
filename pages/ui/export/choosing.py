"""Which run's student is taken home: ?run= and ?student=, or what was looked at before."""

from __future__ import annotations

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.store.rows import RunRow
from kd_core.runs.store.runs import RunStore
from pages.ui.shared import engine, example, session, text
from pages.ui.shared.text import escape, t

ENDED = ("done", "cancelled")
OFFERED = 100


def run(store: RunStore) -> RunRow | None:
    """Let the person choose a run that kept models; None where there is none, which is then said."""
    rows = _offered(store)
    if not rows and example.stand_in():
        rows = _offered(store)
    asked = st.query_params.get("run")
    wanted = asked or session.run_id()
    if wanted and wanted not in rows and (own := _asked(store, wanted, told=bool(asked))):
        rows = {own.id: own, **rows}
    if not rows:
        text.empty_state(t("export.empty"), t("export.empty_button"), "distill.py", icon=":material/ios_share:")
        return None
    example.run_note(store)
    if st.session_state.get("export-run") not in rows or (
        wanted in rows and asked != st.session_state.get("export-url")
    ):
        st.session_state["export-run"] = wanted if wanted in rows else next(iter(rows))
    chosen = st.selectbox(
        t("export.run"),
        list(rows),
        key="export-run",
        format_func=lambda i: f"{rows[i].name} · {rows[i].created_utc[:16].replace('T', ' ')}",
    )
    st.session_state["export-url"] = chosen
    session.set_run(chosen)
    return rows[chosen]


def _offered(store: RunStore) -> dict[str, RunRow]:
    return {row.id: row for row in store.list(states=ENDED, limit=OFFERED) if engine.models_of_run(row.id)}


def _asked(store: RunStore, run_id: str, *, told: bool) -> RunRow | None:
    """Return the run of the address where it has models; say why it has none."""
    try:
        row = store.get(run_id)
        if row.state in ENDED and engine.models_of_run(row.id):
            return row
    except KDError as error:
        if told:
            text.show_error(error)
        return None
    if told:
        st.info(t("export.no_models"), icon=":material/hourglass_empty:")
    return None


def student(row: RunRow) -> str:
    """Let the person choose a model of the run; the address's, else the first."""
    names = engine.models_of_run(row.id)
    named = st.query_params.get("student")
    key = f"export-student-{row.id}"
    if st.session_state.get(key) not in names:
        st.session_state[key] = named if named in names else names[0]
    chosen = st.selectbox(t("export.student"), names, key=key, format_func=escape, help=t("export.student_help"))
    st.query_params["student"] = chosen
    return str(chosen)
