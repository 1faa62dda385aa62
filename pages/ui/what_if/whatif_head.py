"""The head of a what-if: its one line of numbers, how it is carried out, and how its best cell was chosen."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.runs.settings.answers import Answers
from pages.ui.access import aids
from pages.ui.result import differences
from pages.ui.shared import forms, text
from pages.ui.shared.text import escape, t, term
from pages.ui.what_if import whatif_words
from pages.ui.what_if.answers import answer_line
from pages.ui.what_if.whatif_cells import Grid


def behind(grid: Grid, snapshot: Any, told: Answers | None) -> None:
    """Say under the map of a what-if that has ended what stands behind its answer: every value, its numbers, how it was carried out."""
    answer_line.values(told, grid.metric)
    with aids.folded(t("what_if.head.carried_out"), "whatif-carried-out"):
        line(grid, snapshot.elapsed_s, active=False, done=snapshot.trainings_done)
        way(grid)


def line(grid: Grid, seconds: float | None = None, *, active: bool, done: int | None = None) -> None:
    """Say variants and the best cell in one line; of one that has ended trainings and time, too, which stand beside the bar of one at work."""
    parts = [t("what_if.head.variants", num=text.exact(grid.variants))]
    if not active:
        cut = done is not None and done < grid.trainings
        num = text.exact(grid.trainings)
        parts.append(
            t("what_if.head.trainings_of", done=text.exact(done), of=num)
            if cut
            else t("what_if.head.trainings", num=num)
        )
    if seconds is not None:
        parts.append(
            t("what_if.head.took", seconds=text.seconds(round(seconds, 1) if seconds < 10 else round(seconds)))
        )
    best = grid.cell(grid.best)
    if best is not None and best.judged:
        ended = "best_alone" if best.is_baseline else "best"
        told = ended if not active else "best_moving" if best.pending else "best_so_far"
        said = {"cell": whatif_words.setting_words(grid, best), "gain": whatif_words.gain_words(grid.metric, best)}
        parts.append(t(f"what_if.head.{told}", **said, seeds=whatif_words.seeds_words(grid, best)))
    st.markdown(
        " · ".join(f"**{p}**" if i == len(parts) - 1 and best is not None else p for i, p in enumerate(parts)),
        help=term("what_if"),
    )


def way(grid: Grid) -> None:
    """Say how the trainings are carried out, and why."""
    if not grid.mode:
        return
    known = f"common.options.{grid.mode}" in text.catalogue()
    st.caption(t("what_if.head.way", mode=forms.option(grid.mode) if known else grid.mode, why=grid.why))


def chosen(grid: Grid, student: str) -> None:
    """Say how the cell was chosen that the verdict is about."""
    cell = grid.cell(grid.best_of.get(student))
    test, validation, compared = (
        text.exact(grid.num_rows[1]),
        text.exact(grid.num_rows[0]),
        int((grid.judged["student"] == student).sum()),
    )
    among = t(f"what_if.head.among{'_own' if compared < len(grid.judged) else ''}", num=compared, of=len(grid.judged))
    if cell is not None and cell.is_baseline:
        words = t("what_if.head.chosen_baseline", among=among, validation=validation, test=test)
    else:
        named = whatif_words.setting_words(grid, cell, student=False) if cell else "–"
        words = t("what_if.head.chosen", cell=named, among=among, validation=validation, test=test)
    st.caption(words, help=t("what_if.head.chosen_help"))


def missing(grid: Grid) -> None:
    """Say how many cells have no score; none is left out in silence."""
    empty, cut = len(grid.cells) - len(grid.judged), int(grid.judged["stopped"].sum())
    if empty:
        st.caption(f":orange[:material/grid_off: {t('what_if.head.missing', num=empty, of=len(grid.cells))}]")
    if cut:
        st.caption(f":orange[:material/stop: {t('what_if.head.cut', num=cut)}]")
    if grid.diverged:
        st.caption(f":orange[:material/warning: {t('what_if.head.diverged', num=grid.diverged)}]")


def warnings(snapshot: Any, *, fold: bool = False) -> None:
    """Show what the engine warned of; several findings of a run that has ended are one fold away."""
    told = [w for w in snapshot.warnings if w.get("code") != "no_room"]
    fold = fold and len(told) > 1
    with st.expander(t("what_if.head.noticed", num=len(told)), icon=":material/warning:") if fold else st.container():
        for warning in told:
            words = escape(f"{warning.get('message', '')} {warning.get('hint', '')}".strip())
            st.caption(f":orange[:material/warning:] {words}")


def lower_note(metric: str) -> None:
    """Say which way a metric is better where that is not plain."""
    if differences.lower_is_better(metric):
        st.caption(t("what_if.head.lower", metric=differences.metric_title(metric)))
