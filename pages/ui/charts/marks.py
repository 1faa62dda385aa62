"""What every chart shares: one colour, symbol and dash per part played, literal text, quiet axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from pages.ui.charts.drawing import Drawing
from pages.ui.text import escape as literal

__all__ = [
    "ARMS",
    "BLUES",
    "COLOUR",
    "CONFIG",
    "DASH",
    "FAINT",
    "GRID",
    "SHIFTS",
    "SYMBOL",
    "cells",
    "faint",
    "figure",
    "literal",
    "log_axis",
    "padded",
    "short",
]

COLOUR = {
    "teacher": "#0072B2", "baseline": "#7F7F7F", "placebo": "#9467BD", "student": "#D55E00", "compressed": "#009E73",
}  # fmt: skip
SYMBOL = {"teacher": "square", "baseline": "x", "placebo": "triangle-up", "student": "circle", "compressed": "diamond"}
DASH = {"teacher": "dash", "baseline": "dot", "placebo": "longdashdot", "student": "solid", "compressed": "dashdot"}
ARMS = ("teacher", "baseline", "placebo", "student")  # in the order of legends, the student on top
GRID = "rgba(127,127,127,0.18)"
FAINT = "rgba(127,127,127,0.45)"
# One hue, readable on a light and on a dark page: nothing -> the student's or the teacher's colour.
BLUES = [[0.0, "rgba(0,114,178,0.04)"], [1.0, "rgba(0,114,178,0.95)"]]
# Purple loses, orange gains: a pair that stays apart for every kind of colour blindness (ColorBrewer PuOr).
SHIFTS = [[0.0, "rgba(94,60,153,0.95)"], [0.5, "rgba(127,127,127,0.06)"], [1.0, "rgba(213,94,0,0.95)"]]
CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
    "toImageButtonOptions": {"format": "svg", "filename": "chart"},
}


def short(text: Any, most: int = 22) -> str:
    """Shorten in the middle, then make literal."""
    plain = " ".join(str(text).split())
    if len(plain) > most:
        plain = plain[: most - 7].rstrip() + "…" + plain[-6:].lstrip()
    return literal(plain)


def faint(colour: str, opacity: float) -> str:
    """Give a #RRGGBB colour an opacity."""
    r, g, b = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({r},{g},{b},{opacity:g})"


def figure(height: int = 340, *, x: str = "", y: str = "", legend: bool = True) -> Drawing:
    """Start an empty figure with quiet grid lines, a legend above and no title of its own."""
    fig = Drawing()
    fig.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": 34 if legend else 12, "b": 8},
        showlegend=legend,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "xanchor": "left", "x": 0, "title": {"text": ""}},
        hoverlabel={"align": "left"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        uirevision="keep",
    )
    fig.update_xaxes(title={"text": x}, gridcolor=GRID, zeroline=False, automargin=True)
    fig.update_yaxes(title={"text": y}, gridcolor=GRID, zeroline=False, automargin=True)
    return fig


def log_axis(values: Sequence[float], written: Callable[[float], str], *, binary: bool = False) -> dict[str, Any]:
    """Axis settings for a log axis over positive values, ticks written by `written`: at 1-2-5 steps, or for
    bytes (`binary`) at powers of 4 or 16.

    Plotly's own SI marks (k, M, µ) differ from the rest of the product, hence own ticks.
    """
    positive = [v for v in values if v > 0 and math.isfinite(v)] or [1.0]
    low, high = min(positive), max(positive)
    span = math.log10(high / low)
    steps = (1, 2, 5) if span < 2.2 else (1,)
    first, last = math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1
    ticks = [s * 10.0**k for k in range(first, last + 1) for s in steps]
    if binary:
        step = 4 if span < 3.4 else 16
        ticks = [float(step) ** k for k in range(0, 40) if float(step) ** k < 1e13]
    pad = max(0.14, span * 0.1)
    edges = (math.log10(low) - pad, math.log10(high) + pad)
    return {
        "type": "log",
        "range": list(edges),
        "tickvals": ticks,
        "ticktext": [written(v) for v in ticks],
        "minor": {"showgrid": False},
    }


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
) -> None:
    """Lay transparent squares with text over a heat map: they can be picked and hovered, the heat map can't.

    White text on dark cells, dark text on light ones; on a dark page every cell is dark.
    """
    found = [(i, j) for i, row in enumerate(shade) for j in range(len(row))]
    for strong in (False, True):
        group = [(i, j) for i, j in found if (dark or shade[i][j] > 0.75) == strong]
        if not group:
            continue
        fig.add_scatter(
            x=[j for _, j in group],
            y=[i for i, _ in group],
            mode="markers+text" if written else "markers",
            text=[text[i][j] for i, j in group],
            textfont={"size": 12, "color": "#FFFFFF" if strong else "#1B2733"},
            marker={"symbol": "square", "size": 20, "color": "rgba(0,0,0,0)", "line": {"width": 0}},
            customdata=[[i, j] for i, j in group],
            hovertext=[hover[i][j] for i, j in group],
            hovertemplate="%{hovertext}<extra></extra>",
            showlegend=False,
        )
