"""The map of a what-if in the browser: a mini-interval in every cell, walked by keys, with the panel of the chosen one beside it.

A choice is drawn by the page itself; the server hears of it afterwards.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui import look
from pages.ui.evidence import cell_words
from pages.ui.result import differences
from pages.ui.shared import findings
from pages.ui.shared.picture import BROWSER, style
from pages.ui.shared.text import Safe, catalogue, plain, t
from pages.ui.what_if import whatif_cells, whatif_words
from pages.ui.what_if.whatif_cells import Grid

WORDS = "what_if.browser."
WIDEST = 3  # bars are cut off at so many times the interval end that three of four cells stay within
PARTS = (
    BROWSER / "soft_labels" / "parts.js",
    BROWSER / "saving.js",
    *(BROWSER / "cell_map" / f"{n}.js" for n in ("drawing", "panel", "main")),
)
_map = st.components.v2.component(
    "kd_cell_map",
    html="<div class='place'>\n</div>",
    css=style("component", "picture", "cell_map/cell_map"),
    js="\n".join(part.read_text("utf-8") for part in PARTS),
)


def show(
    grid: Grid,
    cells: pd.DataFrame,
    key: str,
    *,
    chosen: int | None,
    panel: bool,
    picked: Callable[[int], None] | None = None,
) -> None:
    """Draw the cells of one map. With `picked` a cell can be chosen, and its number comes back there; `panel`: it is told beside."""
    made = _kept(grid, tuple(cells.index), panel, picked is not None, key)
    data = {**made, "chosen": chosen}

    def taken() -> None:
        said = st.session_state[key]["cell"]
        if picked is not None and isinstance(said, int) and said in cells.index:
            picked(said)

    _map(key=key, data=data, on_cell_change=taken)


@functools.lru_cache(maxsize=16)
def _kept(grid: Grid, indices: tuple[int, ...], panel: bool, choose: bool, name: str) -> dict[str, Any]:
    """The content again while the cells are the same: a choice changes none of it."""
    return payload(grid, grid.cells.loc[list(indices)], panel=panel, choose=choose, name=name)


def payload(grid: Grid, cells: pd.DataFrame, *, panel: bool, choose: bool, name: str) -> dict[str, Any]:
    """Gather what the browser draws; plain values alone, gains in what is written (points for shares)."""
    values = {n: whatif_cells.values(cells, n) for n in ("alpha", "temperature")}
    place = {n: {v: i for i, v in enumerate(among)} for n, among in values.items()}
    low, high = span(grid)
    made: dict[str, Any] = {
        "label": plain(findings.of_map(grid, cells)),
        "name": name,
        "rows": [f"{v:g}" for v in values["alpha"]] or ["–"],
        "columns": [f"{v:g}" for v in values["temperature"]] or ["–"],
        "titles": [plain(t(f"what_if.map.{axis}")) for axis in ("y", "x")],
        "span": [low, high],
        "ends": [_written(grid, v) for v in (low, 0.0, high)],
        "legend": plain(_legend(grid, cells, low, high)),
        "scale": grid.scale,
        "choose": choose,
        "panel": panel,
        "table": cell_words.columns(grid),
        "cells": [],
        "colours": {"loss": look.SHIFT_HUES[0], "gain": look.SHIFT_HUES[1], "picked": look.COLOUR["compressed"]},
        "strongest": [look.CELL_STRONGEST[False], look.CELL_STRONGEST[True]],
        "nothing": look.CELL_NOTHING,
        "words": {k.removeprefix(WORDS): v for k, v in catalogue().items() if k.startswith(WORDS)},
    }
    for c in grid.each(cells):
        gain, least, most = (whatif_cells.in_units(grid.metric, v) for v in (c.gain, c.low, c.high))
        known = c.judged and gain is not None
        made["cells"].append(
            {
                "id": int(c.cell),
                "row": place["alpha"].get(c.alpha, 0),
                "column": place["temperature"].get(c.temperature, 0),
                "gain": float(gain) if known and gain is not None else None,
                "low": float(least) if known and least is not None and not c.is_baseline else None,
                "high": float(most) if known and most is not None and not c.is_baseline else None,
                "text": whatif_words.written(grid, c).removeprefix("★ "),
                "name": cell_words.name(grid, c),
                "best": bool(c.cell == grid.best),
                "like": bool(c.judged and (c.like_best or c.cell == grid.best)),
                "unclear": bool(known and whatif_cells.unclear(c)),
                **({"panel": cell_words.panel(grid, c)} if panel else {}),
            }
        )
    text = json.dumps(made, sort_keys=True, allow_nan=False)
    return {**made, "key": hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}


def span(grid: Grid) -> tuple[float, float]:
    """The one scale of all bars of a what-if, all students' alike: 0 and every interval, but for ends far from all others."""
    known = grid.judged[["gain", "low", "high"]].to_numpy("float64").ravel() * (
        100 if differences.is_share(grid.metric) else 1
    )
    known = known[np.isfinite(known)]
    if not len(known):
        return -1.0, 1.0
    most = max(WIDEST * float(np.quantile(np.abs(known), 0.75)), grid.tolerance, 1e-9)
    low, high = max(min(0.0, float(known.min())), -most), min(max(0.0, float(known.max())), most)
    room = 0.04 * (high - low) or most
    return low - room, high + room


def _legend(grid: Grid, cells: pd.DataFrame, low: float, high: float) -> Safe:
    """Say what bar and frame mean, and the scale of the bars."""
    ends = {"low": _written(grid, low), "high": _written(grid, high), "unit": whatif_words.unit_word(grid.metric)}
    ends["seeds"] = plain(whatif_words.seeds_shown(grid))
    told = t("what_if.map.legend" if cells["low"].notna().any() else "what_if.map.legend_dots", **ends)
    framed = whatif_cells.alike(cells)
    if not len(framed):
        return told
    everywhere = len(framed) == cells["mean"].notna().sum()
    said = [told, t("what_if.map.legend_all_framed" if everywhere else "what_if.map.legend_frame")]
    best = grid.cell(grid.best)
    if best is not None and not best.is_baseline and (best.low or 0) > 0 and framed["alpha"].eq(0).any():
        said.append(t("what_if.map.legend_chance", num=len(grid.judged), seeds=sum(s is not None for s in best.scores)))
    return Safe(" ".join(said))


def _written(grid: Grid, value: float) -> str:
    shown = value / 100 if differences.is_share(grid.metric) else value
    return "0" if value == 0 else differences.signed_points(grid.metric, shown)
