"""What the page of a run shows of its many cells: the map beside the chosen one, and under it sizes, settings, cost, table.

Only the open tab is computed.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from kd_core.runs.store.folder import RunFolder
from kd_core.runs.view.snapshot import Snapshot
from pages.ui.charts import compare as pareto_chart
from pages.ui.charts import parallel
from pages.ui.charts import what_if as charts
from pages.ui.result import comparison, differences, goals, verdict
from pages.ui.shared import findings, forms, picture, text
from pages.ui.shared.text import escape, t
from pages.ui.what_if import (
    whatif_cell,
    whatif_cells,
    whatif_head,
    whatif_map,
    whatif_points,
    whatif_table,
    whatif_words,
)
from pages.ui.what_if.whatif_cells import Grid

TABS = ("sizes", "settings", "cost", "table")


def show(folder: RunFolder, snapshot: Snapshot, grid: Grid) -> None:
    """Draw the map beside the chosen cell, and the tabs. Without a result no cell can be chosen."""
    whatif_head.way(grid)
    whatif_head.lower_note(grid.metric)
    st.markdown(f"**{t('what_if.map.title')}**")
    chosen = grid.cell(whatif_map.picked())
    if grid.result and chosen is not None:
        left, right = st.columns([6, 5], gap="medium")
        with left:
            whatif_map.show(grid, folder.id, live=False)
        with right:
            whatif_cell.show(folder, grid, chosen)
    else:
        whatif_map.show(grid, folder.id, live=False)
        if whatif_map.picked() is not None:
            st.caption(t("what_if.map.gone", cell=escape(st.query_params.get(whatif_map.CELL))))
        elif grid.result:
            st.caption(t("what_if.map.hint"))
    whatif_head.missing(grid)
    whatif_head.warnings(snapshot, fold=True)
    tabs(folder, grid)


def tabs(folder: RunFolder, grid: Grid) -> None:
    """Draw the tab bar and the open tab."""
    drawn = st.tabs([t(f"what_if.tab.{k}") for k in TABS], key="whatif-tab", on_change="rerun")
    for key, tab in zip(TABS, drawn, strict=True):
        if not tab.open:
            continue
        with tab:
            st.space("xsmall")
            if key == "sizes":
                sizes(grid)
            elif key == "settings":
                settings(grid)
            elif key == "cost":
                cost(grid)
            else:
                whatif_table.show(grid, folder.id)


def sizes(grid: Grid) -> None:
    """Draw the best cell of every student and its baseline over the number of weights."""
    arms = whatif_points.size_points(grid)
    if not arms["student"]:
        st.caption(t("what_if.size.none"))
        return
    lower = verdict.lower_is_better(grid.metric)
    figure = charts.sizes(
        arms,
        teacher=grid.teacher,
        names=differences.arm_names(),
        x_title=t("what_if.size.x"),
        y_title=verdict.metric_title(grid.metric),
        written=text.number,
        lower_is_better=lower,
    )
    picture.show(figure, "whatif-sizes", findings.of_sizes(grid, arms))
    st.caption(t("what_if.size.note_lower" if lower else "what_if.size.note"))
    if len(arms["student"]) == 1:
        st.caption(t("what_if.size.one"))


def settings(grid: Grid) -> None:
    """Draw all cells through all settings; widgets above filter them, because the chart can't be picked."""
    kept = _filtered(grid)
    st.caption(t("what_if.settings.shown", shown=len(kept), of=len(grid.cells)))
    if kept.empty:
        return
    figure = parallel.parallel(
        _axes(grid, kept),
        [whatif_cells.in_units(grid.metric, gain) for gain in kept["gain"].fillna(0.0)],
        [whatif_words.hover(grid, c) for c in whatif_cells.rows(kept)],
        dark=st.context.theme.type == "dark",
        scale=grid.scale,
        gain_title=t("what_if.map.gain_axis", unit=whatif_words.unit_word(grid.metric)),
    )
    picture.show(figure, "whatif-parallel", findings.of_map(grid, kept))
    st.caption(t("what_if.settings.note"))


def _axes(grid: Grid, kept: pd.DataFrame) -> list[parallel.Axis]:
    """One axis for every setting that varies and one for the score, over the range of all cells, the better end up."""

    def named(label: str, column: str, among: list[Any], names: list[str]) -> parallel.Axis:
        places = kept[column].map({v: i for i, v in enumerate(among)}).fillna(0)
        return parallel.Axis(label, places.tolist(), 0, len(among) - 1, names)

    made = []
    if len(grid.students) > 1:
        made.append(named(str(t("what_if.column.student")), "student", grid.students, grid.students))
    for name in grid.varying:
        values = grid.values[name]
        made.append(named(str(t(f"what_if.axis.{name}")), name, values, [f"{v:g}" for v in values]))
    low, high = grid.judged["mean"].min(), grid.judged["mean"].max()
    low, high = (low, high) if high > low else (low - 0.01, high + 0.01)
    ends = (high, low) if verdict.lower_is_better(grid.metric) else (low, high)
    return [*made, parallel.Axis(verdict.metric_title(grid.metric), kept["mean"].tolist(), *ends)]


def _filtered(grid: Grid) -> pd.DataFrame:
    """Keep the cells that the filters let through and that have a score."""
    kept, offered = grid.judged, {n: grid.values[n] for n in grid.varying}
    if len(grid.students) > 1:
        offered = {"student": grid.students, **offered}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for name, among in offered.items():
            of_student = name == "student"
            wanted = st.pills(
                t("what_if.column.student" if of_student else f"what_if.axis.{name}"),
                among,
                selection_mode="multi",
                key=f"whatif-only-{name}",
                wrap=True if of_student else None,
                format_func=escape if of_student else "{:g}".format,
                help=t("what_if.settings.filter_help"),
            )
            kept = kept[kept[name].isin(wanted)] if wanted else kept
        if st.toggle(t("what_if.settings.like"), key="whatif-only-like", help=t("what_if.settings.like_help")):
            kept = kept[kept["like_best"] | kept["cell"].eq(grid.best)]
    return kept


def cost(grid: Grid) -> None:
    """Draw score against cost with the front and the goals; a click chooses a cell."""
    by = st.segmented_control(
        t("compare.x"),
        list(whatif_points.COLUMN),
        key=forms.seed("whatif-cost", "size"),
        required=True,
        format_func=lambda c: t(f"what_if.cost.{c}"),
        help=t("compare.x_help"),
    )
    by = str(by or "size")
    points = whatif_points.front_points(grid, by)
    if not points:
        st.caption(t("what_if.cost.none", cost=t(f"what_if.cost.{by}")))
        return
    lower = verdict.lower_is_better(grid.metric)
    teacher, best = whatif_points.teacher_point(grid, by), comparison.front(points, lower)
    alone = {"low": None, "high": None}  # many cells share a cost: bars of all of them would hide each other
    shown = [p if p["id"] in best else {**p, **alone, "faded": True} for p in points] + ([teacher] if teacher else [])
    left, right = st.columns([3.2, 1.1], gap="large")
    with right:
        edge = _goals(grid, teacher, points, by)
    written, at = goals.WRITTEN[by], whatif_map.picked()
    with left:
        figure = pareto_chart.pareto(
            shown,
            best,
            metric=verdict.metric_title(grid.metric),
            x_title=t(f"what_if.cost.{by}_axis"),
            names=differences.arm_names(),
            written=written,
            lower_is_better=lower,
            binary=by == "size",
            front_name=t("compare.front"),
            picked=[] if at is None else [str(at)],
            goal=edge,
            goal_name=t("compare.goal_name"),
            height=430,
        )
        figure.update_layout(dragmode=False)
        on_front = [p for p in shown if p["id"] in best or p["arm"] == "teacher"]
        said = findings.of_points(on_front, grid.metric, t(f"what_if.cost.{by}"), written)
        event: Any = picture.show(figure, "whatif-pareto", said, pick=True)
        st.caption(t("what_if.cost.note_lower" if lower else "what_if.cost.note"))
        if by == "latency" and grid.judged["latency_ms"].isna().any():
            st.caption(t("what_if.cost.missing"))
    whatif_map.take_click(grid, event, "whatif-pareto")


def _goals(
    grid: Grid, teacher: dict[str, Any] | None, points: list[dict[str, Any]], by: str
) -> tuple[float, float] | None:
    """Let the person set goals, say how many cells meet them and which one to ship; return the region's corner."""
    value = teacher["y"] if teacher else None
    asked = goals.ask("whatif", grid.metric, by, value, grid.teacher_costs, f"what_if.cost.times_{by}")
    goals.show(whatif_points.candidates(grid), asked, "what_if.cost.passed")
    if teacher is None:
        st.caption(t("what_if.cost.no_teacher"))
    most, worst = asked.edge(by)
    if most is None and worst is None:
        return None
    ys = [p["y"] for p in points]
    lowest = max(ys) if verdict.lower_is_better(grid.metric) else min(ys)
    return (most if most is not None else 1.2 * max(p["x"] for p in points), lowest if worst is None else worst)
