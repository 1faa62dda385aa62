"""The chart of Compare: score against cost with the front, the goals as a region, and the answer ringed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.access import aids
from pages.ui.charts import compare as charts
from pages.ui.charts import spread
from pages.ui.goals.candidates import Goals
from pages.ui.result import comparison, differences
from pages.ui.result.comparison import Entry
from pages.ui.result.comparison_table import pick, picks
from pages.ui.shared import engine, findings, picture, text
from pages.ui.shared.text import t

BESIDE = ("baseline", "taught", "plain", "smaller")  # what stands in the chart besides an entry's own model
WHOLE = 700  # pixels of a plot as wide as the page


def against(found: list[Entry], metric: str, by: str) -> None:
    """Say which teacher the goals are measured against."""
    teacher = comparison.best_teacher(found, metric)
    if teacher is not None:
        known = comparison.cost(teacher, by)
        told = {
            "teacher": engine.part_title("teacher", str(teacher["name"])),
            "metric": differences.metric_title(metric),
            "value": text.score(teacher["metrics"][metric]),
        }
        if known is None:
            st.caption(t("compare.goal.against_open", cost=t(f"compare.cost.{by}"), **told))
        else:
            st.caption(t("compare.goal.against", cost=comparison.written(by)(known), **told))


def show(found: list[Entry], metric: str, by: str, asked: Goals | None, named: str | None, data: set[str]) -> None:
    """Draw the front; a click picks a student, also in the table. `named`: the entry that was named as the answer; `data`: where the runs learn, of more than one there is no front."""
    drawn = comparison.points(found, metric, by)
    lower = differences.lower_is_better(metric)
    mixed = len(data) > 1  # their scores don't compare
    best = [] if mixed else comparison.front(drawn, lower)
    for p in drawn:
        p["named"] = p["id"] == named or p["id"] in picks()
        p["faded"] = p["id"] not in best and not p["named"] and not mixed
    plain = any(p["arm"] == "plain" for p in drawn)
    goal = None if asked is None else region(asked, by, drawn, lower)
    title, cost = differences.metric_title(metric), t(f"compare.cost.{by}")
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
        named=named,
        named_as=t("compare.named"),
        goal=goal,
        goal_name=t(f"compare.goal_name{'' if asked is None or set(asked.most) <= {by} else '_part'}"),
        wide=aids.plot_width(WHOLE),
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
    ids = [entry_of(str(p["customdata"][0])) for p in event["selection"]["points"] if p.get("customdata")]
    ids = [i for i in dict.fromkeys(ids) if i in known]
    if ids and ids != st.session_state.get("pareto-last"):
        st.session_state["pareto-last"] = ids
        pick(ids)


def entry_of(point: str) -> str:
    """Return the entry that a point of the chart belongs to."""
    entry, _, beside = point.rpartition(":")
    return entry if beside in BESIDE else point


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
