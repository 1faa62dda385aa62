"""The map of a what-if: T against alpha for one student, everything else held at one value."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.ui.evidence import cell_map
from pages.ui.result import differences
from pages.ui.shared import forms
from pages.ui.shared.text import escape, t
from pages.ui.what_if import whatif_cells, whatif_words
from pages.ui.what_if.whatif_cells import Cell, Grid

CELL = "cell"  # the chosen cell in the URL
GOTO = "whatif-goto"  # a cell chosen elsewhere, which the map shall turn to
TURNED = "whatif-student-turned"  # a student chosen on the map, whose verdict shall be shown


def picked() -> int | None:
    """Number of the chosen cell: `?cell=`; None without one."""
    said = st.query_params.get(CELL)
    return int(said) if said and said.isdecimal() else None


def pick(index: int) -> None:
    """Choose a cell, in the URL."""
    if picked() != index:
        st.query_params[CELL] = str(index)


def clear() -> None:
    """Choose no cell."""
    st.query_params.pop(CELL, None)


def turned_student(grid: Grid, run_id: str) -> str | None:
    """Name the student that was chosen on the map, or that of another cell in the address; None where the choice stays as it is."""
    asked, at = st.session_state.pop(TURNED, None), picked()
    cell = grid.cell(at) if at != st.session_state.get(_followed(run_id)) else None
    return str(asked) if asked else None if cell is None else cell.student


def _followed(run_id: str) -> str:
    """Name where the session keeps the cell of the address that the page has followed."""
    return f"whatif-followed-{run_id}"


def show(grid: Grid, run_id: str, *, live: bool, student: str | None = None) -> Cell | None:
    """Draw the choices and the map, and return the cell that its panel tells of: the chosen one, else the best in sight.

    While training nothing can be chosen: the cells still move. `student`: whose verdict the page shows, and the map with it.
    """
    turned = grid.cell(st.session_state.pop(GOTO, None)) if not live else None
    at = grid.cell(None if live else picked())
    if turned is None and student is not None and at is not None and at.student != student:
        clear()
        at = None
    anchor = at or _first(grid, student)
    student, fixed = _choices(grid, anchor, turned, f"{run_id}-{'live' if live else 'done'}", student)
    cells = whatif_cells.chosen(grid, student, fixed)
    if cells.empty:
        st.caption(t("what_if.map.no_cells"))
        return None
    key = f"whatif-map-{run_id}"
    if live:
        cell_map.show(grid, cells, f"{key}-live", chosen=None, panel=False)
        return None
    at = _in_sight(grid, cells)
    cell_map.show(grid, cells, key, chosen=at, panel=True, picked=pick)
    _note(grid, cells)
    st.session_state[_followed(run_id)] = picked()  # also where the map alone is drawn again
    return grid.cell(at)


def _first(grid: Grid, student: str | None) -> Cell:
    """The cell that a map opens at: the best one, of a student where one is asked for; without scores the one that trains first."""
    best = grid.cell(grid.best if student is None else grid.best_of.get(student))
    if best is not None:
        return best
    own = grid.cells if student is None else grid.cells[grid.cells["student"] == student]
    scored = own[own["mean"].notna()]
    return grid.each((scored if len(scored) else own)[:1])[0]


def _in_sight(grid: Grid, cells: pd.DataFrame) -> int:
    """The chosen cell where this map has it, else its best one, else its first."""
    for index in (picked(), grid.best, *grid.best_of.values()):
        if index in cells.index:
            return int(index)  # type: ignore[arg-type]
    scores = cells["mean"].dropna()
    if scores.empty:
        return int(cells.index[0])
    return int(scores.idxmin() if differences.lower_is_better(grid.metric) else scores.idxmax())


def take_click(grid: Grid, event: Any, key: str) -> None:
    """Choose the cell that was clicked in another chart. An empty event follows every change of a figure and means nothing."""
    points = ((event or {}).get("selection") or {}).get("points") or ()
    ids = [int(p["customdata"][0]) for p in points if p.get("customdata") and str(p["customdata"][0]).isdecimal()]
    last = st.session_state.get(f"{key}-last")
    if ids and ids != last:
        st.session_state[f"{key}-last"] = ids
        turn_to(grid, ids[-1])
    elif not points:
        st.session_state.pop(f"{key}-last", None)  # the same cell may be clicked again


def turn_to(grid: Grid, index: int) -> None:
    """Choose a cell and turn the map to it. To be called before the map is drawn."""
    if grid.cell(index) is not None and index != picked():
        pick(index)
        st.session_state[GOTO] = index


def _choices(
    grid: Grid, anchor: Cell, turned: Cell | None, key: str, shown: str | None
) -> tuple[str, dict[str, float]]:
    """One student, and one value of every other setting that varies; first those of the chosen or best cell.

    Another student than the page has `shown` lets all of the page be drawn again, with that one's verdict.
    """
    names, varying = grid.students, [n for n in whatif_cells.SHARED if n in grid.varying]
    student = shown or anchor.student
    fixed = {n: value for n in varying if (value := getattr(anchor, n)) is not None}
    if len(names) < 2 and not varying:
        return student, {}
    places = {"student": f"whatif-student-{key}"} | {n: f"whatif-{n}-{key}" for n in varying}
    if shown is not None and len(names) > 1 and st.session_state.get(f"{key}-shown") != shown:
        st.session_state[f"{key}-shown"] = st.session_state[places["student"]] = shown
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
    if shown is not None and student != shown:
        st.session_state[TURNED] = str(student)
        st.rerun()
    return str(student), {n: v for n, v in fixed.items() if v is not None}


def _is_line(cells: pd.DataFrame) -> bool:
    """Say whether only one of T and alpha varies, or none."""
    return min(cells["temperature"].nunique(), cells["alpha"].nunique()) < 2


def _note(grid: Grid, cells: pd.DataFrame) -> None:
    """Say how to read the map, and why some of its cells are empty."""
    judged = cells[cells["mean"].notna()]
    margin = grid.tolerance / (100 if differences.is_share(grid.metric) else 1)
    words = [
        t(
            "what_if.map.note_line" if _is_line(cells) else "what_if.map.note",
            metric=differences.metric_word(grid.metric),
            unit=whatif_words.unit_word(grid.metric),
            margin=differences.signed_points(grid.metric, margin).lstrip("+"),
        )
    ]
    if len(alike := whatif_cells.alike(cells)) > 1:
        words.append(t("what_if.map.alike", num=len(alike), of=len(judged)))
    if judged["pairs"].lt(2).any():
        words.append(t("what_if.map.one_seed"))
    if len(judged) < len(cells):
        words.append(t("what_if.map.empty", num=len(cells) - len(judged)))
    if cells["temperature"].isna().all():
        words.append(t("what_if.map.no_temperature"))
    with st.expander(t("what_if.map.read"), icon=":material/help:"):
        st.caption(" ".join(words))
