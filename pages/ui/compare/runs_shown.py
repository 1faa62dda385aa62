"""Which runs are compared: the address keeps the choice; the latest of the current dataset are the default."""

from __future__ import annotations

import dataclasses

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.store.rows import RunRow
from kd_core.runs.store.runs import RunStore
from pages.ui.access import aids
from pages.ui.shared import engine, forms, session, text
from pages.ui.shared.text import escape, t
from pages.ui.words import run_names

LATEST = 6
OFFERED = 200


def chosen_runs(store: RunStore) -> list[RunRow]:
    """Let the person choose runs; the URL keeps the choice, the latest of the current dataset are the default."""
    offered = [r for r in store.list(states=("done", "cancelled"), limit=OFFERED) if r.headline]
    asked = [i for i in (st.query_params.get("runs") or "").split(",") if i]
    rows, gone = {r.id: r for r in offered}, []
    for run_id in asked:
        if run_id not in rows:
            try:
                rows[run_id] = store.get(run_id)
            except KDError:
                gone.append(run_id)
    harmed = [rows[i] for i in asked if i in rows and rows[i].state == "damaged"]
    gone += [i for i in asked if i in rows and not rows[i].headline and rows[i] not in harmed]
    default = [i for i in asked if i in rows and rows[i].headline]
    if not asked:
        default = [r.id for r in of_dataset(offered)[:LATEST]]
    if st.session_state.get("compare-url") != asked or "compare-runs" not in st.session_state:  # dropped with the page
        st.session_state["compare-url"] = asked
        forms.put("compare-runs", default)
    forms.seed("compare-runs", default)
    options = [i for i, r in rows.items() if r.headline]
    short = zip(options, text.telling([rows[i].name for i in options]), strict=True)
    names = run_names.of([dataclasses.replace(rows[i], name=name) for i, name in short])
    with aids.folded(t("compare.fold_runs"), "compare-runs-place", expanded=not st.session_state["compare-runs"]):
        picked = st.multiselect(
            t("compare.runs"),
            options,
            format_func=lambda i: names[i],
            key="compare-runs",
            placeholder=t("compare.runs_hint"),
            help=t("compare.runs_help"),
        )
        _others(rows, offered, picked)
    if picked != default:
        st.session_state["compare-url"] = list(picked)
        st.query_params["runs"] = ",".join(picked)
    elif not asked and picked:
        st.caption(t("compare.default_any", num=len(picked)) if len(picked) > 1 else t("compare.default_one"))
    if gone:
        st.warning(t("compare.gone", ids=", ".join(gone)), icon=":material/link_off:")
    for row in harmed:
        st.error(f"{escape(row.error)}", icon=":material/broken_image:")
    return [rows[i] for i in picked]


def _others(rows: dict[str, RunRow], offered: list[RunRow], picked: list[str]) -> None:
    """Offer the other runs of the same data with one press, where only one run is looked at."""
    if len(picked) != 1:
        return
    own = rows[picked[0]]
    more = [r.id for r in offered if r.id != own.id and (r.dataset_name, r.target) == (own.dataset_name, own.target)]

    def add() -> None:
        st.session_state["compare-runs"] = [own.id, *more[: LATEST - 1]]

    if more:
        st.button(
            t("compare.add_other") if len(more) == 1 else t("compare.add_others", num=min(len(more), LATEST - 1)),
            key="compare-add",
            icon=":material/add:",
            on_click=add,
        )


def of_dataset(rows: list[RunRow]) -> list[RunRow]:
    """Keep the runs of the data that was looked at last: as a run of it, or by choosing it; else of the newest run's."""
    if not rows:
        return []
    last, current = session.run_id(), session.dataset_id()
    looked_at = next((r for r in rows if r.id == last), None)
    name, target = (looked_at or rows[0]).dataset_name, (looked_at or rows[0]).target
    if current and (looked_at is None or session.chosen_later()):
        try:
            spec = engine.library().spec(current)
            if any(r.dataset_name == spec.name and r.target == spec.target for r in rows):
                name, target = spec.name, spec.target
        except (KDError, OSError):
            pass  # the frame says that the dataset is gone; the newest run's data serves here
    return [r for r in rows if r.dataset_name == name and r.target == target]
