"""What the page of a run shows of its many cells: the map beside the chosen one, and under it each setting, sizes, cost, table.

Only the open tab is computed.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from kd_core.runs.store.folder import RunFolder
from kd_core.runs.view.snapshot import Snapshot
from pages.ui.access import aids
from pages.ui.charts import parallel
from pages.ui.charts import what_if as charts
from pages.ui.evidence import cost, marginals
from pages.ui.result import differences
from pages.ui.shared import findings, picture, text
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

TABS = ("each", "sizes", "settings", "cost", "table")
PARALLEL_FROM = 3  # settings: of two, the map shows all that lines between axes could


def show(folder: RunFolder, snapshot: Snapshot, grid: Grid, student: str | None = None) -> None:
    """Draw the map of a student with the chosen cell beside it, and the tabs. Without a result a cell has numbers, but no recipe to go on with.

    It is drawn apart from the verdict above and the result below, and the map apart from the tabs: a choice draws as little as it can.
    """
    whatif_head.lower_note(grid.metric)

    @st.fragment
    def evidence() -> None:
        whatif_map.take_click(grid, st.session_state.get(cost.KEY), cost.KEY)
        whatif_table.take_click(grid, folder.id)
        # The chosen cell is ringed in the chart of cost: only there a click on the map concerns the tabs.
        (_cells if _open_tab(grid) == "cost" else st.fragment(_cells))(folder, grid, student)
        whatif_head.missing(grid)
        whatif_head.warnings(snapshot, fold=True)
        tabs(folder, grid)

    evidence()


def _cells(folder: RunFolder, grid: Grid, student: str | None) -> None:
    """Draw the map with its panel, and what the server adds to the chosen cell."""
    st.markdown(f"**{t('what_if.map.title')}**")
    if (at := whatif_map.picked()) is not None and grid.cell(at) is None:
        st.caption(t("what_if.map.gone", cell=str(at)))
    shown = whatif_map.show(grid, folder.id, live=False, student=student)
    if grid.result and shown is not None:
        whatif_cell.show(folder, grid, shown)


def _open_tab(grid: Grid) -> str:
    """Name the tab that is open."""
    names = offered(grid)
    return next((k for k in names if st.session_state.get("whatif-tab") == t(f"what_if.tab.{k}")), names[0])


def offered(grid: Grid) -> list[str]:
    """Name the tabs that have something to tell: of one setting the map says all, of one size there is no curve."""
    varying = len(marginals.settings(grid))
    needs = {"each": 2, "settings": PARALLEL_FROM}
    return [k for k in TABS if varying >= needs.get(k, 0) and (k != "sizes" or len(grid.students) > 1)]


def tabs(folder: RunFolder, grid: Grid) -> None:
    """Draw the tab bar and the open tab."""
    names = offered(grid)
    if (
        aids.is_narrow()
    ):  # nothing is drawn in it while it is closed: a chart in a closed fold took a tab of the browser down
        fold = st.expander(t("what_if.tab.more"), icon=":material/insights:", key="whatif-more", on_change="rerun")
        if fold.open:
            with fold:
                _tabs(folder, grid, names)
        return
    _tabs(folder, grid, names)


def _tabs(folder: RunFolder, grid: Grid, names: list[str]) -> None:
    drawn = st.tabs([t(f"what_if.tab.{k}") for k in names], key="whatif-tab", on_change="rerun")
    for key, tab in zip(names, drawn, strict=True):
        if not tab.open:
            continue
        with tab:
            st.space("xsmall")
            if key == "each":
                marginals.show(grid)
            elif key == "sizes":
                sizes(grid)
            elif key == "settings":
                settings(grid)
            elif key == "cost":
                cost.show(grid)
            else:
                whatif_table.show(grid, folder.id)


def sizes(grid: Grid) -> None:
    """Draw the best cell of every student and its baseline over the number of weights."""
    arms = whatif_points.size_points(grid)
    if not arms["student"]:
        st.caption(t("what_if.size.none"))
        return
    lower = differences.lower_is_better(grid.metric)
    figure = charts.sizes(
        arms,
        teacher=grid.teacher,
        names=differences.arm_names(),
        x_title=t("what_if.size.x"),
        y_title=differences.metric_title(grid.metric),
        written=text.number,
        lower_is_better=lower,
    )
    picture.show(figure, "whatif-sizes", findings.of_sizes(grid, arms))
    st.caption(t("what_if.size.note_lower" if lower else "what_if.size.note", seeds=whatif_words.seeds_shown(grid)))


def settings(grid: Grid) -> None:
    """Draw all cells through all settings; widgets above filter them, because the chart can't be picked."""
    kept = _filtered(grid)
    st.caption(t("what_if.settings.shown", shown=len(kept), of=len(grid.cells)))
    if kept.empty:
        return
    figure = parallel.parallel(
        _axes(grid, kept),
        [whatif_cells.in_units(grid.metric, gain) for gain in kept["gain"].fillna(0.0)],
        [whatif_words.hover(grid, c) for c in grid.each(kept)],
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
    ends = (high, low) if differences.lower_is_better(grid.metric) else (low, high)
    return [*made, parallel.Axis(differences.metric_title(grid.metric), kept["mean"].tolist(), *ends)]


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
