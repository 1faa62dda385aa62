"""Compare: metric against cost with the front, goals, and a table of what differs."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.store.rows import RunRow
from kd_core.runs.store.runs import RunStore
from pages.ui.access import aids
from pages.ui.compare import added_seeds, answer, confounded, front, naming, runs_shown
from pages.ui.goals import form as goal_form
from pages.ui.goals import kept, link
from pages.ui.goals.candidates import Goals
from pages.ui.latency import lab
from pages.ui.result import comparison, differences, recipe
from pages.ui.result.comparison import Entry
from pages.ui.result.comparison_table import clear, everything, picks, table
from pages.ui.shared import engine, example, session, text
from pages.ui.shared.text import t


def choices(found: list[Entry], data: set[str]) -> tuple[str, str]:
    """Let the person choose metric and cost; a metric that was chosen for other data gives way to these runs' own."""
    left, right = st.columns([2, 3], vertical_alignment="top")
    metrics = comparison.common_metrics(found)
    if st.session_state.get("compare-metric-of", data) != data:
        st.session_state["compare-metric"] = metrics[0]
    st.session_state["compare-metric-of"] = data
    if (linked := link.metric()) in metrics:
        st.session_state["compare-metric"] = linked
    metric = left.selectbox(
        t("compare.y"), metrics, format_func=differences.metric_title, key="compare-metric", help=t("compare.y_help")
    )
    by = right.segmented_control(
        t("compare.x"),
        comparison.COSTS,
        default="size",
        format_func=lambda c: t(f"compare.choice.{c}"),
        key="compare-by",
        help=t("compare.x_help"),
        required=True,
    )
    return str(metric), str(by or "size")


def goals(found: list[Entry], metric: str, data: str) -> Goals:
    """Let the person set goals; the form opens with those of the address, or with those that the newest run was started with."""
    teacher = comparison.best_teacher(found, metric)
    costs = {} if teacher is None else {c: comparison.cost(teacher, c) for c in comparison.COSTS}
    value = None if teacher is None else teacher["metrics"][metric]
    newest = sorted(found, key=lambda e: e.run_id, reverse=True)
    started = next(((own, e) for e in newest if (own := kept.of_result(e.result))), None)
    before = started[0] if started else None
    link.read(data, metric)
    asked = goal_form.ask(goal_form.COMPARE, metric, value, costs, data=data, before=before, across=True)
    link.write(metric, asked.own)
    kept.keep(data, asked, before)
    if started and not asked.own:
        st.caption(t("compare.goals_of", run=started[1].run_name))
    elif not asked.own and (others := kept.elsewhere(data)):
        st.caption(t("compare.goals_elsewhere", data=", ".join(others)))
    return asked


def entries(store: RunStore, rows: list[RunRow]) -> list[Entry]:
    """Read the students of the chosen runs; a damaged run is named and left out."""
    found: list[Entry] = []
    for row in rows:
        try:
            found += comparison.entries(row, store.folder(row.id))
        except KDError as error:
            text.show_error(error)
    return naming.apart(naming.dated(comparison.once(found), rows))


def page() -> None:
    """Draw the screen."""
    store = engine.store()
    st.title(t("compare.title"), anchor=False)
    st.caption(t("compare.note"))
    ended = any(r.headline for r in store.list(states=("done", "cancelled"), limit=runs_shown.OFFERED))
    if not ended and example.stand_in() is None:
        text.empty_state(
            t("compare.empty"), t("compare.empty_button"), "distill.py", icon=":material/scatter_plot:", key="compare"
        )
        return
    example.run_note(store)
    rows = runs_shown.chosen_runs(store)
    found = entries(store, rows)
    if not found:
        st.info(t("compare.none"), icon=":material/touch_app:")
        return
    if not comparison.common_metrics(found):
        st.warning(t("compare.mixed_task"), icon=":material/warning:")
        return
    data = {kept.data_of(r) for r in rows}
    if len(data) > 1:
        st.warning(t("compare.mixed_data", names=", ".join(sorted(data))), icon=":material/warning:")
    compared(store, rows, found, data)
    lab.show(store, rows)
    recipe.offer(t("compare.all"), lambda: everything(store, found), "comparison.zip", "application/zip", "compare")


def cautions(store: RunStore, rows: list[RunRow], found: list[Entry]) -> None:
    """Say what bears on the comparison: what differs at once, seeds that were added, and runs that made nothing smaller."""
    confounded.caution(found)
    added_seeds.caution(store, [r for r in rows if r.id in {e.run_id for e in found}])
    unchanged = [
        f"{r.name} ({r.created_utc[:16].replace('T', ' ')})" for r in rows if r.id not in {e.run_id for e in found}
    ]
    if unchanged:
        st.caption(t("compare.same_student", names=", ".join(unchanged)))


@st.fragment
def compared(store: RunStore, rows: list[RunRow], found: list[Entry], data: set[str]) -> None:
    """Draw what the choices change, apart from the rest of the page: goals, answer, chart and table.

    What is drawn in one case only stands in a container that is always there: one element more above it would have the browser mount the chart anew.
    """
    asked = named = None
    controls, said, drawn = places()
    with controls:
        metric, by = choices(found, data)
        with st.container(key="compare-goals"):
            if len(data) > 1:  # the best teacher of one table is no measure for students of another
                st.caption(t("compare.goals_mixed"))
            else:
                asked = goals(found, metric, next(iter(data)))
                front.against(found, metric, by)
    with said:
        named = None if asked is None else answer.show(found, metric, asked)
    with drawn:
        front.show(found, metric, by, asked, None if named is None else named.id, data)
    with st.container(key="compare-cautions"):  # answer and chart come before what bears on them
        cautions(store, rows, found)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="compare-picks"):
        opened(found)
    table(store, found, metric, asked)


def places() -> tuple[Any, Any, Any]:
    """Return the places of the choices, the answer and the chart: in this order, on a phone the choices last and folded."""

    def choose() -> Any:
        return aids.folded(t("compare.fold_choices"), "compare-choices")

    controls = None if aids.is_narrow() else choose()
    said, drawn = st.container(key="compare-said"), st.container(key="compare-chart")
    return controls or choose(), said, drawn


def opened(found: list[Entry]) -> None:
    """Offer the results of the picked students, and to pick none."""
    picked = [e for e in found if e.id in picks()]
    if picked:
        st.button(
            t("compare.clear"),
            key="compare-clear",
            on_click=clear,
            icon=":material/close:",
            help=t("compare.clear_help"),
        )
    for e in picked:
        st.page_link(
            "runs.py",
            label=t("compare.open", student=e.label, run=e.run_name),
            icon=":material/open_in_new:",
            query_params=session.link(run=e.run_id, student=str(e.student["name"])),
        )


page()
