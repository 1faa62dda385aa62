"""Each setting by itself: the mean gain of its values over all other settings, one small chart each, on one scale."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from kd_core.evaluate import METRICS
from kd_core.evaluate.intervals import compare
from kd_core.evaluate.intervals.marginal import Marginal, Tried, marginal
from pages.ui.charts import what_if as charts
from pages.ui.charts.marks import padded
from pages.ui.result import differences
from pages.ui.shared import picture
from pages.ui.shared.text import Safe, plain, t
from pages.ui.what_if import whatif_cells, whatif_words
from pages.ui.what_if.whatif_cells import Cell, Grid

A_ROW = 3  # charts beside each other


def settings(grid: Grid) -> list[str]:
    """Name what takes more than one value in this what-if: the student, where there are several, and the settings."""
    return [*(["student"] if len(grid.students) > 1 else []), *grid.varying]


def of(grid: Grid, name: str) -> Marginal[Any]:
    """Average the gain over the other settings. Cells that learn nothing from the teacher count in the curve of alpha alone.

    Units: the metric's.
    """
    taught = grid.judged if name == "alpha" else grid.judged[grid.judged["alpha"].ne(0)]
    # Those that are varied: of one that is not, some students have a value and others none, which parts no combination.
    others = [n for n in ("student", *grid.varying) if n != name]
    cells = grid.each(taught[taught[name].notna()])
    tried = [Tried(getattr(c, name), tuple(getattr(c, n) for n in others), _gains(grid, c)) for c in cells]
    return marginal(tried, grid.students if name == "student" else grid.values[name])


def _gains(grid: Grid, cell: Cell) -> dict[int, float]:
    """The gain of every seed that has both trainings."""
    both = [
        (seed, own, alone)
        for seed, own, alone in zip(cell.seeds, cell.scores, cell.baseline, strict=True)
        if own is not None and alone is not None
    ]
    if not both:
        return {}
    better = METRICS.get(grid.metric).facts["better"]
    found = compare.differences([own for _, own, _ in both], [alone for *_, alone in both], better)
    return {seed: float(gain) for (seed, *_), gain in zip(both, found, strict=True)}


def show(grid: Grid) -> None:
    """Draw a small chart for every setting, all on one scale, and say what is averaged."""
    names = settings(grid)
    curves = {name: of(grid, name) for name in names}
    ends = [
        whatif_cells.in_units(grid.metric, v)
        for found in curves.values()
        for one in found.curve.values()
        for v in (one.mean, one.low, one.high)
        if v is not None
    ]
    scale = padded([0.0, *(v for v in ends if v is not None)], 0.1)
    for first in range(0, len(names), A_ROW):
        for name, place in zip(names[first : first + A_ROW], st.columns(A_ROW), strict=False):
            with place:
                _one(grid, name, curves[name], scale)
    st.caption(
        t("what_if.each.note", metric=differences.metric_word(grid.metric), seeds=whatif_words.seeds_shown(grid))
    )
    if any(one.n < 2 for found in curves.values() for one in found.curve.values()):
        st.caption(t("what_if.each.one_seed"))


def _one(grid: Grid, name: str, found: Marginal[Any], scale: list[float] | None) -> None:
    title = t("what_if.column.student" if name == "student" else f"what_if.axis.{name}")
    if not found.curve:
        st.markdown(f"**{title}**")
        st.caption(t("what_if.each.none"))
        return
    points = _points(grid, name, found)
    figure = charts.curve(
        points.to_dict("records"),
        x_title=plain(title),
        y_title=plain(t("what_if.map.gain_axis", unit=whatif_words.unit_word(grid.metric))),
        zero_name=plain(t("runs.arm.baseline_short")),
        scale=scale,
    )
    told = "; ".join(points["hover"])
    picture.show(figure, f"whatif-each-{name}", Safe(f"{title}: {told}"))
    over = t("what_if.each.over", num=found.combinations)
    left = t("what_if.each.left", num=found.left_out) if found.left_out else ""
    st.caption(f"{over} {left}".strip())


def _points(grid: Grid, name: str, found: Marginal[Any]) -> pd.DataFrame:
    made = []
    for value, one in found.curve.items():
        mean, low, high = (whatif_cells.in_units(grid.metric, v) for v in (one.mean, one.low, one.high))
        written = value if name == "student" else f"{value:g}"
        between = whatif_words.interval(grid.metric, one.low, one.high)
        told = f"{differences.signed_points(grid.metric, one.mean)} {between}".rstrip()
        hover = t("what_if.each.point", value=written, gain=told)
        made.append({"name": written, "gain": mean, "low": low, "high": high, "hover": hover})
    return pd.DataFrame(made)
