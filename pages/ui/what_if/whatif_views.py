"""What stands under the map: sizes, all settings at once, cost, the table, downloads. Only the open tab is computed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from kd_core.runs.store.folder import RunFolder
from pages.ui.charts import compare as pareto_chart
from pages.ui.charts import what_if as charts
from pages.ui.result import comparison, goals, recipe, result_tabs, verdict
from pages.ui.result.goals import Candidate
from pages.ui.runs import live
from pages.ui.shared import engine, findings, forms, picture, text
from pages.ui.shared.text import escape, t
from pages.ui.what_if import whatif_cells, whatif_map, whatif_points
from pages.ui.what_if.whatif_cells import Cell, Grid

TABS = ("sizes", "settings", "cost", "table", "downloads", "log")
COSTS = ("size", "latency", "parameters")
Result = Mapping[str, Any]


def show(folder: RunFolder, snapshot: Any, grid: Grid, found: Result | None) -> None:
    """Draw the tab bar and the open tab."""
    tabs = st.tabs([t(f"what_if.tab.{k}") for k in TABS], key="whatif-tab", on_change="rerun")
    for key, tab in zip(TABS, tabs, strict=True):
        if not tab.open:
            continue
        with tab:
            st.space("xsmall")
            if key == "sizes":
                sizes(grid, snapshot)
            elif key == "settings":
                settings(grid)
            elif key == "cost":
                cost(grid, snapshot, found)
            elif key == "table":
                table(grid, folder.id)
            elif key == "downloads":
                downloads(folder, grid, found)
            else:
                live.log(snapshot)


def teacher_score(snapshot: Any, metric: str) -> float | None:
    """The teacher's score on the validation rows."""
    return ((snapshot.teacher or {}).get("metrics") or {}).get(metric)


def sizes(grid: Grid, snapshot: Any) -> None:
    """Draw the best cell of every student and its baseline over the number of weights."""
    arms = whatif_points.size_points(grid)
    if not arms["student"]:
        st.caption(t("what_if.size.none"))
        return
    lower = verdict.lower_is_better(grid.metric)
    figure = charts.sizes(
        arms,
        teacher=teacher_score(snapshot, grid.metric),
        names=result_tabs.names(),
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
    varying = grid.varying()
    kept = _filtered(grid, varying)
    st.caption(t("what_if.settings.shown", shown=len(kept), of=len(grid.cells)))
    if not kept:
        return
    dimensions: list[dict[str, Any]] = []
    if len(grid.students) > 1:
        ticks = list(range(len(grid.students)))
        dimensions.append(
            {
                "label": str(t("what_if.column.student")),
                "ticks": ticks,
                "names": grid.students,
                "values": [grid.students.index(str(c["student"])) for c in kept],
            }
        )
    for name in varying:
        values = grid.values(name)
        dimensions.append(
            {
                "label": str(t(f"what_if.axis.{name}")),
                "ticks": list(range(len(values))),
                "names": [f"{v:g}" for v in values],
                "values": [values.index(c[name]) if c.get(name) is not None else 0 for c in kept],
            }
        )
    means = [c["mean"] for c in grid.cells if whatif_cells.judged(c)]
    edge = (min(means), max(means)) if max(means) > min(means) else (min(means) - 0.01, max(means) + 0.01)
    dimensions.append(
        {
            "label": verdict.metric_title(grid.metric),
            "values": [c["mean"] for c in kept],
            "range": edge[::-1] if verdict.lower_is_better(grid.metric) else edge,
        }
    )
    figure = charts.parallel(
        dimensions,
        [whatif_cells.in_units(grid.metric, (c.get("gain") or {}).get("mean")) or 0.0 for c in kept],
        [whatif_cells.hover(grid, c) for c in kept],
        dark=st.context.theme.type == "dark",
        scale=whatif_cells.scale(grid),
        gain_title=t("what_if.map.gain_axis", unit=whatif_cells.unit_word(grid.metric)),
    )
    picture.show(figure, "whatif-parallel", findings.of_map(grid, kept))
    st.caption(t("what_if.settings.note"))


def _filtered(grid: Grid, varying: list[str]) -> list[Cell]:
    """Keep the cells that the filters let through and that have a score."""
    kept = [c for c in grid.cells if whatif_cells.judged(c)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if len(grid.students) > 1:
            wanted = st.pills(
                t("what_if.column.student"),
                grid.students,
                selection_mode="multi",
                key="whatif-only-student",
                wrap=True,
                format_func=lambda n: escape(n),
                help=t("what_if.settings.filter_help"),
            )
            kept = [c for c in kept if not wanted or c["student"] in wanted]
        for name in varying:
            wanted = st.pills(
                t(f"what_if.axis.{name}"),
                grid.values(name),
                selection_mode="multi",
                key=f"whatif-only-{name}",
                format_func=lambda v: f"{v:g}",
                help=t("what_if.settings.filter_help"),
            )
            kept = [c for c in kept if not wanted or c.get(name) in wanted]
        if st.toggle(t("what_if.settings.like"), key="whatif-only-like", help=t("what_if.settings.like_help")):
            kept = [c for c in kept if c.get("like_best") or c["cell"] == grid.best]
    return kept


def cost(grid: Grid, snapshot: Any, found: Result | None) -> None:
    """Draw score against cost with the front and the goals; a click chooses a cell."""
    by = st.segmented_control(
        t("compare.x"),
        COSTS,
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
    teacher = _teacher_point(grid, snapshot, found, by)
    best = comparison.front(points, lower)
    alone = {"low": None, "high": None}  # many cells share a cost: bars of all of them would hide each other
    shown = [p if p["id"] in best else {**p, **alone, "faded": True} for p in points] + ([teacher] if teacher else [])
    left, right = st.columns([3.2, 1.1], gap="large")
    with right:
        edge = _goals(grid, teacher, _teacher_costs(snapshot, found), points, by)
    words = {"size": text.size, "latency": text.milliseconds, "parameters": text.number}[by]
    at = whatif_map.picked()
    with left:
        figure = pareto_chart.pareto(
            shown,
            best,
            metric=verdict.metric_title(grid.metric),
            x_title=t(f"what_if.cost.{by}_axis"),
            names=result_tabs.names(),
            written=words,
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
        words_of = findings.of_points(on_front, grid.metric, t(f"what_if.cost.{by}"), words)
        event: Any = picture.show(figure, "whatif-pareto", words_of, pick=True)
        st.caption(t("what_if.cost.note_lower" if lower else "what_if.cost.note"))
        if by == "latency" and any(c.get("latency_ms") is None for c in grid.cells if whatif_cells.judged(c)):
            st.caption(t("what_if.cost.missing"))
    whatif_map.take_click(grid, event, "whatif-pareto")


def _teacher_block(snapshot: Any, found: Result | None) -> dict[str, Any]:
    told = {k: v for k, v in (snapshot.teacher or {}).items() if v is not None}
    return {**((found or {}).get("teacher") or {}), **told}


def _teacher_costs(snapshot: Any, found: Result | None) -> dict[str, float | None]:
    block = _teacher_block(snapshot, found)
    return {**{n: comparison.cost(block, n) for n in ("size", "latency")}, "parameters": block.get("parameters")}


def _teacher_point(grid: Grid, snapshot: Any, found: Result | None, by: str) -> dict[str, Any] | None:
    """The teacher as a point, on the same validation rows; None where score or cost isn't known."""
    block = _teacher_block(snapshot, found)
    value, x = teacher_score(snapshot, grid.metric), _teacher_costs(snapshot, found)[by]
    if value is None or not x:
        return None
    shown = {"size": text.size, "latency": text.milliseconds, "parameters": text.number}[by]
    name = engine.part_title("teacher", str(block.get("name") or ""))
    words = f"<b>{escape(name)}</b><br>{escape(verdict.metric_title(grid.metric))} {text.score(value)}<br>{shown(x)}"
    return {
        "id": "teacher",
        "arm": "teacher",
        "label": name,
        "x": x,
        "y": value,
        "low": None,
        "high": None,
        "hover": words,
    }


def candidates(grid: Grid) -> list[Candidate]:
    """Cells as what could be shipped; a student's latency, measured on its chosen cell, holds for all its cells."""
    latency = {c["student"]: c["latency_ms"] for c in grid.cells if c.get("latency_ms") is not None}

    def name(c: Cell) -> str:
        said = (
            t("what_if.cost.alone")
            if whatif_cells.is_baseline(c)
            else whatif_cells.setting_words(grid, c, student=False)
        )
        return f"{c['student']}, {said}"

    return [
        Candidate(
            str(c["cell"]),
            name(c),
            c["mean"],
            {"size": c.get("size_bytes"), "latency": latency.get(c["student"]), "parameters": c.get("parameters")},
            c["mean"],
        )
        for c in grid.cells
        if whatif_cells.judged(c)
    ]


def _goals(
    grid: Grid, teacher: dict[str, Any] | None, costs: Mapping[str, float | None], points: list[dict[str, Any]], by: str
) -> tuple[float, float] | None:
    """Let the person set goals, say how many cells meet them and which one to ship; return the region's corner."""
    value = teacher["y"] if teacher else None
    asked = goals.ask("whatif", grid.metric, by, value, costs, f"what_if.cost.times_{by}")
    goals.show(candidates(grid), asked, "what_if.cost.passed")
    if teacher is None:
        st.caption(t("what_if.cost.no_teacher"))
    most, worst = asked.edge(by)
    if most is None and worst is None:
        return None
    ys = [p["y"] for p in points]
    lowest = max(ys) if verdict.lower_is_better(grid.metric) else min(ys)
    return (most if most is not None else 1.2 * max(p["x"] for p in points), lowest if worst is None else worst)


def table(grid: Grid, run_id: str) -> None:
    """List every cell, the best first; a click chooses one."""
    order = {r[str(t("what_if.column.cell"))]: r for r in whatif_cells.lines(grid, grid.cells)}
    turn = st.session_state.get("whatif-table-turn", 0)
    score, gain = (
        str(t("what_if.column.score", metric=verdict.metric_title(grid.metric))),
        str(t("what_if.column.gain", unit=whatif_cells.unit_word(grid.metric))),
    )
    event: Any = st.dataframe(
        pd.DataFrame(list(order.values())),
        key=f"whatif-table-{run_id}-{turn}",
        hide_index=True,
        height=420,
        on_select="rerun",
        selection_mode="single-cell",
        placeholder="–",
        alt=t("what_if.tab.table"),
        column_config={
            score: st.column_config.NumberColumn(format="%.4f", help=t("what_if.column.score_help")),
            gain: st.column_config.NumberColumn(format="%+.2f", help=t("what_if.column.gain_help")),
            str(t("what_if.column.mark")): st.column_config.TextColumn(help=t("what_if.column.mark_help"), width=40),
            str(t("what_if.column.latency")): st.column_config.TextColumn(help=t("glossary.latency")),
        },
    )
    st.caption(t("what_if.table_note"))
    cells = event["selection"].get("cells") if event else None
    if cells:
        st.session_state["whatif-table-turn"] = turn + 1
        whatif_map.pick(list(order)[cells[0][0]])


def downloads(folder: RunFolder, grid: Grid, found: Result | None) -> None:
    """Offer the cells, the recipe, the result, and the pictures in either format."""
    left, right = st.columns(2, gap="large")
    with left:
        recipe.offer(
            t("what_if.download.cells"), lambda: whatif_cells.csv(grid), f"{folder.id}.cells.csv", "text/csv", "cells"
        )
        recipe.offer(
            t("runs.recipe.json"),
            lambda: folder.spec().model_dump_json(indent=1),
            f"{folder.id}.spec.json",
            "application/json",
            "spec",
        )
        if found:
            recipe.offer(
                t("runs.recipe.result"),
                lambda: json.dumps(found, ensure_ascii=False, indent=1),
                f"{folder.id}.result.json",
                "application/json",
                "result",
            )
    with right:
        st.caption(t("what_if.download.pictures"))
        st.code(f"python -m kd_core run {folder.id}.spec.json --out my-what-if", language="bash")
