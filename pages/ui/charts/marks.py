"""What every chart is built with: a figure in the one look, axes, literal text and cells."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from kd_core.reports.ticks import ROUND, at_powers
from pages.ui import look
from pages.ui.charts.drawing import Drawing
from pages.ui.look import (
    ARMS,
    AXIS_TEXT,
    COLOUR,
    CONFIG,
    DASH,
    FAINT,
    GRID,
    PAPER,
    SHIFT_HUES,
    SHIFTS,
    SYMBOL,
    contrast,
    faint,
    mixed,
    readable_on,
    shaded,
    shifted,
)
from pages.ui.shared.text import escape as literal
from pages.ui.shared.text import tick

__all__ = [
    "ARMS",
    "AXIS_TEXT",
    "COLOUR",
    "CONFIG",
    "DASH",
    "FAINT",
    "GRID",
    "PAPER",
    "SHIFTS",
    "SHIFT_HUES",
    "SYMBOL",
    "cells",
    "contrast",
    "faint",
    "figure",
    "level",
    "literal",
    "log_axis",
    "mixed",
    "padded",
    "readable_on",
    "share_axis",
    "shifted",
    "short",
]

SHARE_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)  # between ticks


def short(text: Any, most: int = 22) -> str:
    """Shorten in the middle, then make literal."""
    plain = " ".join(str(text).split())
    if len(plain) > most:
        plain = plain[: most - 7].rstrip() + "…" + plain[-6:].lstrip()
    return literal(plain)


def figure(height: int = 340, *, x: str = "", y: str = "", legend: bool = True) -> Drawing:
    """Start an empty figure with quiet grid lines, a legend above and no title of its own."""
    fig = Drawing()
    fig.update_layout(**look.layout(height, x=x, y=y, legend=legend))
    return fig


def level(fig: Drawing, at: float, name: str = "", *, across: bool = False, on_top: bool = False) -> None:
    """Draw a dotted level at a value of the y axis, or of the x axis where it goes `across`; its name stands at its end, clear of legends."""
    ends: dict[str, Any] = {"yref": "paper", "y0": 0, "y1": 1, "x0": at, "x1": at}
    if not across:
        ends = {"xref": "paper", "x0": 0, "x1": 1, "y0": at, "y1": at}
    fig.add_shape(type="line", line=look.level(), layer="above" if on_top else "below", **ends)
    if not name:
        return
    place: dict[str, Any] = {"xref": "paper", "x": 1, "y": at, "xanchor": "right", "yanchor": "bottom"}
    if across:
        place = {"yref": "paper", "y": 1, "x": at, "xanchor": "left", "yanchor": "top", "xshift": 3}
    fig.add_annotation(**look.note(), text=literal(name), **place)


def log_axis(values: Sequence[float], written: Callable[[float], str], *, binary: bool = False) -> dict[str, Any]:
    """Axis settings for a log axis over positive values, ticks written by `written`: at 1-2-5 steps, or for
    bytes (`binary`) at powers of 4 or 16.

    Plotly's own SI marks (k, M, µ) differ from the rest of the product, hence own ticks.
    """
    written = tick(written)
    positive = [v for v in values if v > 0 and math.isfinite(v)] or [1.0]
    low, high = min(positive), max(positive)
    span = math.log10(high / low)
    ticks = at_powers(low / 10, high * 10, ROUND if span < 2.2 else ROUND[:1])
    if binary:
        step = 4 if span < 3.4 else 16
        ticks = [float(step) ** k for k in range(0, 40) if float(step) ** k < 1e13]
    pad = max(0.14, span * 0.1)
    edges = (math.log10(low) - pad, math.log10(high) + pad)
    if binary:  # of sizes near each other, closer ticks
        every = (ticks, [2.0**k for k in range(44)], [2.0 ** (k / 2) for k in range(88)])
        ticks = next((t for t in every if sum(edges[0] <= math.log10(v) <= edges[1] for v in t) > 1), every[-1])
    return {
        "type": "log",
        "range": list(edges),
        "tickvals": ticks,
        "ticktext": [written(v) for v in ticks],
        "minor": {"showgrid": False},
    }


def share_axis(low: float, high: float, most: int = 6) -> dict[str, Any]:
    """Ticks for an axis of shares, written as text has them: 60 %. Plotly's own format leaves the space out."""
    step = next((s for s in SHARE_STEPS if high - low <= s * most), SHARE_STEPS[-1])
    places = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    ticks = [round(place * step, 6) for place in places]
    return {"tickvals": ticks, "ticktext": [f"{100 * v:.6g} %" for v in ticks]}


def padded(values: Sequence[float], share: float = 0.08) -> list[float] | None:
    """A range a little wider than the values, or None when there are none."""
    finite = [v for v in values if v is not None and math.isfinite(v)]
    if not finite:
        return None
    low, high = min(finite), max(finite)
    pad = (high - low) * share or max(abs(high) * 0.02, 1e-6)
    return [low - pad, high + pad]


def cells(
    fig: go.Figure,
    shade: Sequence[Sequence[float]],
    text: Sequence[Sequence[str]],
    hover: Sequence[Sequence[str]],
    *,
    written: bool,
    dark: bool = False,
    fill: Callable[[float, bool], str] | None = None,
) -> None:
    """Lay transparent squares with text over a heat map: they can be picked and hovered, the heat map can't.

    The text is white or black, whichever is read better on its cell; a 0 is quiet, so that the others stand out. `shade` is
    what `fill` makes a colour of (the second value: a dark page), a share of one where there is none.
    """
    found = [(i, j) for i, row in enumerate(shade) for j in range(len(row))]
    inks = {
        (i, j): AXIS_TEXT[dark] if text[i][j] == "0" else readable_on((fill or shaded)(shade[i][j], dark))
        for i, j in found
    }
    for ink in sorted(set(inks.values())):
        group = [place for place in found if inks[place] == ink]
        fig.add_scatter(
            x=[j for _, j in group],
            y=[i for i, _ in group],
            mode="markers+text" if written else "markers",
            text=[text[i][j] for i, j in group],
            textfont={"size": look.NOTE, "color": ink},
            marker={"symbol": "square", "size": look.CELL, "color": look.CLEAR, "line": {"width": 0}},
            customdata=[[i, j] for i, j in group],
            hovertext=[hover[i][j] for i, j in group],
            hovertemplate=look.hover("%{hovertext}"),
            showlegend=False,
        )
