"""Compare: metric against cost with the front, goals, and a table of what differs."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.rows import RunRow
from kd_core.runs.store import RunStore
from pages.ui import comparison, engine, example, findings, picture, recipe, session, text, verdict
from pages.ui.charts import compare as charts
from pages.ui.comparison import Entry, Goal
from pages.ui.comparison_table import clear, everything, pick, picks, table
from pages.ui.text import t

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
    gone += [i for i in asked if i in rows and not rows[i].headline]
    default = [i for i in asked if i in rows and rows[i].headline]
    if not asked:
        default = [r.id for r in of_dataset(offered)[:LATEST]]
    if st.session_state.get("compare-url") != asked:
        st.session_state["compare-url"] = asked
        st.session_state["compare-runs"] = default
    options = [i for i, r in rows.items() if r.headline]
    picked = st.multiselect(
        t("compare.runs"), options, format_func=lambda i: f"{rows[i].name} · {rows[i].created_utc[:16].replace('T', ' ')}",
        key="compare-runs", placeholder=t("compare.runs_hint"), help=t("compare.runs_help"),
    )  # fmt: skip
    if picked != default:
        st.session_state["compare-url"] = list(picked)
        st.query_params["runs"] = ",".join(picked)
    elif not asked and picked:
        st.caption(t("compare.default_any", num=len(picked)))
    if gone:
        st.warning(t("compare.gone", ids=", ".join(gone)), icon=":material/link_off:")
    return [rows[i] for i in picked]


def of_dataset(rows: list[RunRow]) -> list[RunRow]:
    """Keep the runs of the current dataset, or of the newest run's when none fits."""
    if not rows:
        return []
    name, target = rows[0].dataset_name, rows[0].target
    current = session.dataset_id()
    if current:
        try:
            spec = engine.library().spec(current)
            if any(r.dataset_name == spec.name and r.target == spec.target for r in rows):
                name, target = spec.name, spec.target
        except (KDError, OSError):
            pass  # the frame says that the dataset is gone; the newest run's data serves here
    return [r for r in rows if r.dataset_name == name and r.target == target]


def choices(found: list[Entry]) -> tuple[str, str]:
    """Let the person choose metric and cost."""
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    metrics = comparison.common_metrics(found)
    metric = left.selectbox(t("compare.y"), metrics, format_func=verdict.metric_title, key="compare-metric",
                            help=t("compare.y_help"))  # fmt: skip
    by = right.segmented_control(
        t("compare.x"), comparison.COSTS, default="size", format_func=lambda c: t(f"compare.choice.{c}"),
        key="compare-by", help=t("compare.x_help"), required=True,
    )  # fmt: skip
    return str(metric), str(by or "size")


def goals(found: list[Entry], metric: str, by: str) -> tuple[float | None, float] | None:
    """Let the person set goals and say how many students meet them; returns the edges of the region."""
    teacher = comparison.best_teacher(found, metric)
    if teacher is None:
        return None
    share = verdict.is_share(metric)
    kind = "lost_points" if share else "lost_value"
    start = 1.0 if share else float(f"{abs(teacher['metrics'][metric]) * 0.05:.2g}") or 0.01
    st.markdown(f"**{t('compare.goal.title')}**")
    lost = st.number_input(t(f"compare.goal.{kind}"), 0.0, None, start, 0.1 if share else start / 5 or 0.01,
                           key=f"goal-lost-{metric}", help=t(f"compare.goal.{kind}_help"))  # fmt: skip
    times = st.number_input(t(f"compare.goal.times_{by}"), 1.0, None, 5.0, 1.0, key=f"goal-times-{by}",
                            help=t("compare.goal.times_help"))  # fmt: skip
    edge = comparison.goal_edge(teacher, Goal(lost / 100 if share else lost, times), metric, by)
    passed = sum(bool(comparison.meets(e.student, edge, metric, by)) for e in found)
    st.markdown(t("compare.goal.passed", num=passed, of=len(found)))
    told = {"teacher": engine.part_title("teacher", str(teacher["name"])), "metric": verdict.metric_title(metric),
            "value": text.score(teacher["metrics"][metric])}  # fmt: skip
    if edge[0] is None:
        st.caption(t("compare.goal.against_open", cost=t(f"compare.cost.{by}"), **told))
    else:
        st.caption(t("compare.goal.against", cost=comparison.written(by)(comparison.cost(teacher, by)), **told))
    return edge


def chart(found: list[Entry], metric: str, by: str, edge: tuple[float | None, float] | None) -> None:
    """Draw the front; a click picks a student, also in the table."""
    drawn = comparison.points(found, metric, by)
    lower = verdict.lower_is_better(metric)
    best = comparison.front(drawn, lower)
    for p in drawn:
        p["faded"] = p["id"] not in best
    names = {a: t(f"runs.arm.{'baseline_short' if a == 'baseline' else a}") for a in ("teacher", "baseline", "student")}
    most = max((p["x"] for p in drawn), default=1.0)
    goal = None if edge is None else (edge[0] if edge[0] is not None else most * 1.2, edge[1])
    title, cost = verdict.metric_title(metric), t(f"compare.cost.{by}")
    fig = charts.pareto(
        drawn, best, metric=title, x_title=t(f"compare.cost.{by}_axis"), names=names, written=comparison.written(by),
        lower_is_better=lower,
        binary=by == "size", front_name=t("compare.front"), picked=picks(), goal=goal,
        goal_name=t("compare.goal_name"),
    )  # fmt: skip
    seen = findings.of_points([p for p in drawn if p["id"] in best], metric, cost, comparison.written(by))
    event: Any = picture.show(fig, "pareto", seen, pick=True)
    st.caption(t("compare.chart_note_lower" if lower else "compare.chart_note"))
    lacking = comparison.missing(found, metric, by)
    if lacking:
        st.caption(t("compare.missing", num=lacking, cost=cost))
    # An empty event follows every change of the figure; only a new, non-empty one is a choice.
    known = {e.id for e in found}
    ids = [
        str(p["customdata"][0]).removesuffix(":baseline") for p in event["selection"]["points"] if p.get("customdata")
    ]
    ids = [i for i in dict.fromkeys(ids) if i in known]
    if ids and ids != st.session_state.get("pareto-last"):
        st.session_state["pareto-last"] = ids
        pick(ids)


def page() -> None:
    """Draw the screen."""
    store = engine.store()
    st.title(t("compare.title"), anchor=False)
    st.caption(t("compare.note"))
    ended = any(r.headline for r in store.list(states=("done", "cancelled"), limit=OFFERED))
    if not ended and example.stand_in() is None:
        text.empty_state(
            t("compare.empty"), t("compare.empty_button"), "distill.py", icon=":material/scatter_plot:", key="compare"
        )
        return
    example.run_note(store)
    rows = chosen_runs(store)
    found = [e for r in rows for e in comparison.entries(r, store.folder(r.id))]
    if not found:
        st.info(t("compare.none"), icon=":material/touch_app:")
        return
    if not comparison.common_metrics(found):
        st.warning(t("compare.mixed_task"), icon=":material/warning:")
        return
    data = {f"{r.dataset_name} → {r.target}" for r in rows}
    if len(data) > 1:
        st.warning(t("compare.mixed_data", names=", ".join(sorted(data))), icon=":material/warning:")
    metric, by = choices(found)
    left, right = st.columns([3.4, 1], gap="large")
    with right:
        if len(data) > 1:  # the best teacher of one table is no measure for students of another
            edge = None
            st.caption(t("compare.goals_mixed"))
        else:
            edge = goals(found, metric, by)
    with left:
        chart(found, metric, by, edge)
    picked = [e for e in found if e.id in picks()]
    if picked:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                t("compare.clear"),
                key="compare-clear",
                on_click=clear,
                icon=":material/close:",
                help=t("compare.clear_help"),
            )
            for e in picked:
                st.page_link("runs.py", label=t("compare.open", student=e.label, run=e.run_name),
                             icon=":material/open_in_new:", query_params=session.link(run=e.run_id))  # fmt: skip
    table(store, found, metric, by, edge)
    recipe.offer(t("compare.all"), lambda: everything(store, found), "comparison.zip", "application/zip", "compare")


page()
