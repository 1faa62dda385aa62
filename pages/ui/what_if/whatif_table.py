"""The table of all cells, and every cell seed by seed as CSV."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.ui.access import cards
from pages.ui.result import differences, recipe
from pages.ui.shared import text
from pages.ui.shared.text import t
from pages.ui.what_if import whatif_cells, whatif_map, whatif_words
from pages.ui.what_if.whatif_cells import SETTINGS, Cell, Grid

TURN = "whatif-table-turn"
ROW, TALLEST = 35, 620  # pixels: what is longer is scrolled


def show(grid: Grid, run_id: str) -> None:
    """List every cell, the best first; a click chooses one."""
    made, k = lines(grid), "what_if.column."
    mark, score, gain = made.columns[1], *_numbers(grid.metric)
    cards.table(
        made,
        key=_key(run_id),
        hide_index=True,
        height=min(TALLEST, ROW * (len(made) + 1) + 3),
        on_select="rerun",
        selection_mode="single-cell",
        placeholder="–",
        alt=t("what_if.tab.table"),
        column_config={
            score: st.column_config.NumberColumn(format="%.4f", help=t(f"{k}score_help")),
            gain: st.column_config.NumberColumn(format="%+.2f", help=t(f"{k}gain_help")),
            mark: st.column_config.TextColumn(help=t(f"{k}mark_help"), width=40),
            str(t(f"{k}seeds")): st.column_config.NumberColumn(help=t(f"{k}seeds_help"), width=60),
            str(t(f"{k}word")): st.column_config.TextColumn(help=t(f"{k}word_help")),
            str(t(f"{k}latency")): st.column_config.TextColumn(help=t("glossary.latency")),
        },
    )
    st.caption(t("what_if.table_note"))
    recipe.offer(t("what_if.download.cells"), lambda: csv(grid), f"{run_id}.cells.csv", "text/csv", "cells")


def _key(run_id: str) -> str:
    """A selection is taken back by a new key."""
    return f"whatif-table-{run_id}-{st.session_state.get(TURN, 0)}"


def take_click(grid: Grid, run_id: str) -> None:
    """Choose the cell of the row that was clicked. To be called before the map is drawn."""
    if picked := cards.chosen(_key(run_id)):
        st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
        whatif_map.turn_to(grid, int(_in_order(grid)["cell"].iloc[picked[0]]))


def _in_order(grid: Grid) -> pd.DataFrame:
    return grid.cells.sort_values("mean", ascending=differences.lower_is_better(grid.metric), kind="stable")


def lines(grid: Grid) -> pd.DataFrame:
    """Lay cells out as a table, the best score first; plain values with units in the column names.

    What all cells have in common is left out, so that the rest fits beside each other.
    """
    return pd.DataFrame([_line(grid, c) for c in grid.each(_in_order(grid))])


def _numbers(metric: str) -> tuple[str, str]:
    k = "what_if.column."
    score, unit = t(f"{k}score", metric=differences.metric_title(metric)), whatif_words.unit_word(metric)
    return str(score), str(t(f"{k}gain", unit=unit))


def _line(grid: Grid, c: Cell) -> dict[str, Any]:
    def head(name: str) -> str:
        return str(t(f"what_if.column.{name}"))

    score, gain = _numbers(grid.metric)
    return {
        head("cell"): c.cell,
        head("mark"): "★" if c.cell == grid.best else "=" if c.like_best and c.judged else "",
        **({head("student"): c.student} if len(grid.students) > 1 else {}),
        **{head(n): getattr(c, n) for n in SETTINGS if n in grid.varying},
        score: c.mean,
        gain: whatif_cells.in_units(grid.metric, c.gain),
        head("interval"): whatif_words.interval(grid.metric, c.low, c.high) or "–",
        head("seeds"): sum(s is not None for s in c.scores),
        head("word"): str(t(f"what_if.column.word_{c.word}")) if c.word and not c.is_baseline else None,
        head("size"): text.size(c.size_bytes),
        head("latency"): text.milliseconds(c.latency_ms),
    }


def csv(grid: Grid) -> str:
    """Write every cell, seed by seed, with exact numbers; cells a spreadsheet would run are defused."""
    own = ["cell", "student", *SETTINGS]
    costs = ["parameters", "size_bytes", "latency_ms"]
    seed = ["seed", grid.metric, f"baseline_{grid.metric}"]
    told = ["mean", "gain_mean", "gain_low", "gain_high", "word", "best", "like_best"]
    made: list[list[Any]] = [[*own, *seed, *told, "selected_epoch", *costs]]
    for c in grid.each(grid.cells):
        before, after = [getattr(c, n) for n in own], [getattr(c, n) for n in costs]
        of_cell = [c.mean, c.gain, c.low, c.high, c.word, c.cell == grid.best, c.like_best]
        per_seed = list(zip(c.seeds, c.scores, c.baseline, c.selected_epochs, strict=True)) or [(None,) * 4]
        made += [[*before, *scored, *of_cell, epoch, *after] for *scored, epoch in per_seed]
    return recipe.write_csv(made)
