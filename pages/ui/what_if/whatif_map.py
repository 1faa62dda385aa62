"""The map of a what-if: T against alpha for one student, everything else held at one value."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.ui.charts import what_if as charts
from pages.ui.result import verdict
from pages.ui.shared import findings, forms, picture, text
from pages.ui.shared.text import escape, t
from pages.ui.what_if import whatif_cells, whatif_points, whatif_words
from pages.ui.what_if.whatif_cells import Cell, Grid

CELL = "cell"  # the chosen cell in the URL
GOTO = "whatif-goto"  # a cell chosen elsewhere, which the map shall turn to


def picked() -> int | None:
    """Number of the chosen cell: `?cell=`; None without one."""
    said = st.query_params.get(CELL)
    return int(said) if said and said.isdecimal() else None


def pick(index: int) -> None:
    """Choose a cell, in the URL, and draw the page again."""
    st.query_params[CELL] = str(index)
    st.session_state[GOTO] = index
    st.rerun()


def clear() -> None:
    """Choose no cell."""
    st.query_params.pop(CELL, None)


def show(grid: Grid, run_id: str, *, live: bool) -> None:
    """Draw the choices and the map. While training nothing can be chosen: the cells still move."""
    at = None if live else picked()
    anchor = grid.cell(at) or grid.cell(grid.best) or whatif_cells.rows(grid.cells[:1])[0]
    turned = grid.cell(st.session_state.pop(GOTO, None)) if not live else None
    student, fixed = _choices(grid, anchor, turned, f"{run_id}-{'live' if live else 'done'}")
    cells = whatif_cells.chosen(grid, student, fixed)
    if cells.empty:
        st.caption(t("what_if.map.no_cells"))
        return
    figure = _figure(grid, cells, at)
    key = f"whatif-map-{run_id}"
    if live:
        picture.show(figure, f"{key}-live", findings.of_map(grid, cells))
        return
    event: Any = picture.show(figure, key, findings.of_map(grid, cells), pick=True)
    _by_name(grid, cells, run_id)
    _note(grid, cells)
    take_click(grid, event, key)


def _by_name(grid: Grid, cells: pd.DataFrame, run_id: str) -> None:
    """Let the person choose a cell by name: the map itself can't be reached by keyboard."""
    key, by_id = f"whatif-cell-of-{run_id}", {c.cell: c for c in whatif_cells.rows(cells)}
    st.session_state[key] = picked() if picked() in by_id else None

    def chosen() -> None:
        if st.session_state[key] is None:
            clear()
        else:
            st.query_params[CELL] = str(st.session_state[key])

    def name(index: int) -> str:
        cell = by_id[index]
        said = whatif_words.gain_words(grid.metric, cell) if cell.judged else whatif_words.why_missing(cell)
        return f"{whatif_words.setting_words(grid, cell)}: {text.plain(said)}"

    st.selectbox(
        t("what_if.map.cell"),
        list(by_id),
        key=key,
        on_change=chosen,
        placeholder=t("what_if.map.cell_hint"),
        help=t("what_if.map.cell_help"),
        format_func=name,
    )


def take_click(grid: Grid, event: Any, key: str) -> None:
    """Choose the cell that was clicked. An empty event follows every change of a figure and means nothing."""
    points = ((event or {}).get("selection") or {}).get("points") or ()
    ids = [int(p["customdata"][0]) for p in points if p.get("customdata") and str(p["customdata"][0]).isdecimal()]
    last = st.session_state.get(f"{key}-last")
    if ids and ids != last:
        st.session_state[f"{key}-last"] = ids
        if grid.cell(ids[-1]) is not None and ids[-1] != picked():
            pick(ids[-1])
    elif not points:
        st.session_state.pop(f"{key}-last", None)  # the same cell may be clicked again


def _choices(grid: Grid, anchor: Cell, turned: Cell | None, key: str) -> tuple[str, dict[str, float]]:
    """One student, and one value of every other setting that varies; first those of the chosen or best cell."""
    names, varying = grid.students, [n for n in whatif_cells.SHARED if n in grid.varying]
    student = anchor.student
    fixed = {n: value for n in varying if (value := getattr(anchor, n)) is not None}
    if len(names) < 2 and not varying:
        return student, {}
    places = {"student": f"whatif-student-{key}"} | {n: f"whatif-{n}-{key}" for n in varying}
    if turned is not None:
        for name, place in places.items():
            st.session_state[place] = getattr(turned, name)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if len(names) > 1:
            student = (
                st.segmented_control(
                    t("what_if.map.student"),
                    names,
                    key=forms.seed(places["student"], student),
                    required=True,
                    format_func=lambda n: escape(n),
                    help=t("what_if.map.student_help"),
                )
                or student
            )
        for name in varying:
            fixed[name] = st.selectbox(
                forms.label(name),
                grid.values[name],
                key=forms.seed(places[name], fixed.get(name)),
                width=160,
                format_func=lambda v: f"{v:g}",
                help=t("what_if.map.fixed_help"),
            )
    return str(student), {n: v for n, v in fixed.items() if v is not None}


def _figure(grid: Grid, cells: pd.DataFrame, at: int | None) -> Any:
    made = whatif_points.placed(grid, cells, at)
    names = {n: [f"{v:g}" for v in whatif_cells.values(cells, n)] for n in ("alpha", "temperature")}
    gain, dark = t("what_if.map.gain_axis", unit=whatif_words.unit_word(grid.metric)), st.context.theme.type == "dark"
    if not _is_line(cells):
        return charts.heat(
            made,
            names["alpha"],
            names["temperature"],
            x_title=t("what_if.map.x"),
            y_title=t("what_if.map.y"),
            gain_title=gain,
            scale=grid.scale,
            margin=grid.tolerance,
            dark=dark,
        )
    along = "alpha" if len(names["alpha"]) > 1 else "temperature"
    points = made.assign(column=made["row"]) if along == "alpha" else made
    return charts.alone(
        points.sort_values("column", kind="stable"),
        x_title=t(f"what_if.map.{'y' if along == 'alpha' else 'x'}"),
        y_title=gain,
        name=str(t("what_if.map.gain")),
        zero_name=str(t("runs.arm.baseline_short")),
        ticks=names[along] or ["–"],
        dark=dark,
    )


def _is_line(cells: pd.DataFrame) -> bool:
    """Say whether only one of T and alpha varies, or none."""
    return min(cells["temperature"].nunique(), cells["alpha"].nunique()) < 2


def _note(grid: Grid, cells: pd.DataFrame) -> None:
    """Say how to read the map, and why some of its cells are empty."""
    line, judged = _is_line(cells), cells[cells["mean"].notna()]
    margin = grid.tolerance / (100 if verdict.is_share(grid.metric) else 1)
    words = [
        t(
            "what_if.map.note_line" if line else "what_if.map.note",
            metric=verdict.metric_word(grid.metric),
            unit=whatif_words.unit_word(grid.metric),
            margin=verdict.signed_points(grid.metric, margin).lstrip("+"),
        )
    ]
    if not line and not whatif_cells.few_alike(cells):
        words.append(t("what_if.map.many_alike", num=len(whatif_cells.alike(cells)), of=len(judged)))
    if judged["pairs"].lt(2).any():
        words.append(t("what_if.map.one_seed"))
    if len(judged) < len(cells):
        words.append(t("what_if.map.empty", num=len(cells) - len(judged)))
    if cells["temperature"].isna().all():
        words.append(t("what_if.map.no_temperature"))
    st.caption(" ".join(words))
