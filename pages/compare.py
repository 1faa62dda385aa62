"""Compare: metric against cost with the front, goals, and a table of what differs."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.store.rows import RunRow
from kd_core.runs.store.runs import RunStore
from pages.ui.access import aids
from pages.ui.charts import compare as charts
from pages.ui.charts import placing, spread
from pages.ui.compare import added_seeds, confounded, naming, runs_shown
from pages.ui.goals import candidates as shipped
from pages.ui.goals import form as goal_form
from pages.ui.goals import kept, link
from pages.ui.goals.candidates import Candidate, Goals
from pages.ui.latency import lab
from pages.ui.result import comparison, differences, recipe, verdict
from pages.ui.result.comparison import Entry
from pages.ui.result.comparison_table import clear, everything, pick, picks, table
from pages.ui.shared import engine, example, findings, picture, session, text
from pages.ui.shared.text import t


def choices(found: list[Entry]) -> tuple[str, str]:
    """Let the person choose metric and cost."""
    left, right = st.columns([2, 3], vertical_alignment="top")
    metrics = comparison.common_metrics(found)
    if (linked := link.metric()) in metrics:
        st.session_state["compare-metric"] = linked
    metric = left.selectbox(
        t("compare.y"), metrics, format_func=verdict.metric_title, key="compare-metric", help=t("compare.y_help")
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
    before = next((own for e in newest if (own := kept.of_result(e.result))), None)
    link.read(data, metric)
    asked = goal_form.ask(goal_form.COMPARE, metric, value, costs, data=data, before=before)
    link.write(metric, asked.own)
    return asked


def decision(found: list[Entry], metric: str, asked: Goals) -> Candidate | None:
    """Say which one to ship, after the plain model that is better than it, and how many meet the goals; return the one named."""
    candidates = [comparison.candidate(e, metric) for e in found]
    plain = comparison.plain_candidates(found, metric)
    named = None if asked.empty else shipped.answer(candidates, plain, asked)
    taught = named is not None and any(named.id == c.id for c in candidates)
    rival = shipped.rival(plain, named if taught else None, asked)
    if rival is not None:
        shipped.warn(rival, asked)
    shipped.show(candidates, asked, "compare.goal.passed", named)
    if rival is None and taught:
        shipped.beside(plain, asked)
    return named


def against(found: list[Entry], metric: str, by: str) -> None:
    """Say which teacher the goals are measured against."""
    teacher = comparison.best_teacher(found, metric)
    if teacher is not None:
        known = comparison.cost(teacher, by)
        told = {
            "teacher": engine.part_title("teacher", str(teacher["name"])),
            "metric": verdict.metric_title(metric),
            "value": text.score(teacher["metrics"][metric]),
        }
        if known is None:
            st.caption(t("compare.goal.against_open", cost=t(f"compare.cost.{by}"), **told))
        else:
            st.caption(t("compare.goal.against", cost=comparison.written(by)(known), **told))


def chart(found: list[Entry], metric: str, by: str, asked: Goals | None, named: str | None, data: set[str]) -> None:
    """Draw the front; a click picks a student, also in the table. `named`: the entry that was named as the answer; `data`: where the runs learn, of more than one there is no front."""
    drawn = comparison.points(found, metric, by)
    lower = verdict.lower_is_better(metric)
    mixed = len(data) > 1  # their scores don't compare
    best = [] if mixed else comparison.front(drawn, lower)
    for p in drawn:
        p["named"] = p["id"] == named or p["id"] in picks()
        p["faded"] = p["id"] not in best and not p["named"] and not mixed
    plain = any(p["arm"] == "plain" for p in drawn)
    goal = None if asked is None else region(asked, by, drawn, lower)
    title, cost = verdict.metric_title(metric), t(f"compare.cost.{by}")
    fig = charts.pareto(
        drawn,
        best,
        metric=title,
        most=spread.most(metric),
        x_title=t(f"compare.cost.{by}_axis"),
        names={**differences.arm_names(), "compressed": t("runs.arm.compressed")},
        written=comparison.written(by),
        lower_is_better=lower,
        binary=by == "size",
        front_name=t("compare.front"),
        picked=picks(),
        goal=goal,
        goal_name=t(f"compare.goal_name{'' if asked is None or set(asked.most) <= {by} else '_part'}"),
        wide=aids.plot_width(placing.WIDER),
    )
    seen = findings.of_points([p for p in drawn if mixed or p["id"] in best], metric, cost, comparison.written(by))
    event: Any = picture.show(
        fig,
        "pareto",
        seen,
        pick=True,
        title=text.plain(t("compare.saved", metric=title, cost=cost)),
        about=", ".join(sorted(data)),
    )
    note = t(f"compare.chart_note{'_mixed' if mixed else '_lower' if lower else ''}")
    st.caption(f"{note} {t('compare.chart_note_plain')}" if plain else note)
    lacking = comparison.missing(found, metric, by)
    if lacking:
        st.caption(t("compare.missing", num=lacking, cost=cost))
    # An empty event follows every change of the figure; only a new, non-empty one is a choice.
    known = {e.id for e in found}
    ids = [
        str(p["customdata"][0]).removesuffix(":baseline").removesuffix(":taught").removesuffix(":plain")
        for p in event["selection"]["points"]
        if p.get("customdata")
    ]
    ids = [i for i in dict.fromkeys(ids) if i in known]
    if ids and ids != st.session_state.get("pareto-last"):
        st.session_state["pareto-last"] = ids
        pick(ids)


def entries(store: RunStore, rows: list[RunRow]) -> list[Entry]:
    """Read the students of the chosen runs; a damaged run is named and left out."""
    found: list[Entry] = []
    for row in rows:
        try:
            found += comparison.entries(row, store.folder(row.id))
        except KDError as error:
            text.show_error(error)
    return naming.apart(naming.dated(comparison.once(found), rows))


def region(asked: Goals, by: str, drawn: list[dict[str, Any]], lower: bool) -> tuple[float, float] | None:
    """Return the corner of the goals' region; a goal that is not set reaches to the edge of what is drawn."""
    most, worst = asked.edge(by)
    if not drawn or (most is None and worst is None):
        return None
    ys = [p["y"] for p in drawn]
    return (
        most if most is not None else 1.2 * max(p["x"] for p in drawn),
        worst if worst is not None else max(ys) if lower else min(ys),
    )


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
    confounded.caution(found)
    added_seeds.caution(store, [r for r in rows if r.id in {e.run_id for e in found}])
    unchanged = [
        f"{r.name} ({r.created_utc[:16].replace('T', ' ')})" for r in rows if r.id not in {e.run_id for e in found}
    ]
    if unchanged:
        st.caption(t("compare.same_student", names=", ".join(unchanged)))
    compared(store, found, data)
    lab.show(store, rows)
    recipe.offer(t("compare.all"), lambda: everything(store, found), "comparison.zip", "application/zip", "compare")


@st.fragment
def compared(store: RunStore, found: list[Entry], data: set[str]) -> None:
    """Draw what the choices change, apart from the rest of the page: chart, goals and table."""
    metric, by = choices(found)
    left, right = st.columns([3.2, 1.1], gap="large")
    with right:
        if len(data) > 1:  # the best teacher of one table is no measure for students of another
            asked = None
            st.caption(t("compare.goals_mixed"))
        else:
            asked = goals(found, metric, next(iter(data)))
            kept.keep(next(iter(data)), asked)
    with left:
        named = decision(found, metric, asked) if asked is not None else None
        chart(found, metric, by, asked, named.id if named is not None else None, data)
        if asked is not None:
            against(found, metric, by)
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
                st.page_link(
                    "runs.py",
                    label=t("compare.open", student=e.label, run=e.run_name),
                    icon=":material/open_in_new:",
                    query_params=session.link(run=e.run_id, student=str(e.student["name"])),
                )
    table(store, found, metric, asked)


page()
