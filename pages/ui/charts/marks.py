"""What every chart shares: one colour, symbol and dash per part played, literal text, quiet axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from pages.ui.charts.drawing import Drawing
from pages.ui.shared.text import escape as literal

__all__ = [
    "ARMS",
    "AXIS_TEXT",
    "BLUES",
    "COLOUR",
    "CONFIG",
    "DASH",
    "FAINT",
    "GRID",
    "PAPER",
    "SHIFTS",
    "SYMBOL",
    "cells",
    "contrast",
    "faint",
    "figure",
    "literal",
    "log_axis",
    "mixed",
    "padded",
    "readable_on",
    "shifted",
    "short",
]

COLOUR = {
    "teacher": "#0072B2",
    "baseline": "#7F7F7F",
    "placebo": "#9467BD",
    "plain": "#C2378A",
    "helper": "#8C6D1F",
    "student": "#D55E00",
    "compressed": "#009E73",
}
SYMBOL = {
    "teacher": "square",
    "baseline": "x",
    "placebo": "triangle-up",
    "plain": "star",
    "helper": "pentagon",
    "student": "circle",
    "compressed": "diamond",
}
DASH = {
    "teacher": "dash",
    "baseline": "dot",
    "placebo": "longdashdot",
    "plain": "longdash",
    "helper": "2px,6px",
    "student": "solid",
    "compressed": "dashdot",
}
ARMS = (
    "teacher",
    "baseline",
    "placebo",
    "plain",
    "helper",
    "compressed",
    "student",
)  # in the order of legends, the student on top
GRID = "rgba(127,127,127,0.18)"
FAINT = "rgba(127,127,127,0.45)"
PAPER = {False: "#FFFFFF", True: "#12171D"}  # by dark page: the backgrounds of .streamlit/config.toml
AXIS_TEXT = {False: "#5B6876", True: "#9AA8B5"}  # by dark page: no grey is readable on both
# One hue, readable on a light and on a dark page: nothing -> the teacher's colour.
FAINTEST, STRONGEST = 0.04, 0.95
BLUES = [[0.0, f"rgba(0,114,178,{FAINTEST})"], [1.0, f"rgba(0,114,178,{STRONGEST})"]]
# Purple loses, orange gains: a pair that stays apart for every kind of colour blindness (ColorBrewer PuOr).
SHIFT_HUES = ("#5E3C99", "#D55E00")
SHIFTS = [
    [0.0, f"rgba(94,60,153,{STRONGEST})"],
    [0.5, f"rgba(127,127,127,{FAINTEST})"],
    [1.0, f"rgba(213,94,0,{STRONGEST})"],
]
CONFIG: dict[str, Any] = {"displaylogo": False, "displayModeBar": False}


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


def mixed(colour: str, paper: str, share: float) -> str:
    """Lay `share` of a #RRGGBB colour over another; the result is opaque."""
    pairs = ((int(colour[i : i + 2], 16), int(paper[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02X}" for a, b in pairs)


def contrast(a: str, b: str) -> float:
    """How well one #RRGGBB colour is read on the other: 1 to 21. Source: WCAG 2.2, contrast ratio."""
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def readable_on(colour: str) -> str:
    """Black or white, whichever is read better: at least 4.5 on every colour, where a dark grey is not."""
    return max(("#000000", "#FFFFFF"), key=lambda ink: contrast(ink, colour))


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

    The text is white or black, whichever is read better on its cell. `shade` is a share of one on `BLUES`, or what
    `fill` makes a colour of (the second value: a dark page).
    """
    found = [(i, j) for i, row in enumerate(shade) for j in range(len(row))]
    inks = {(i, j): readable_on((fill or _blue)(shade[i][j], dark)) for i, j in found}
    for ink in sorted(set(inks.values())):
        group = [place for place in found if inks[place] == ink]
        fig.add_scatter(
            x=[j for _, j in group],
            y=[i for i, _ in group],
            mode="markers+text" if written else "markers",
            text=[text[i][j] for i, j in group],
            textfont={"size": 12, "color": ink},
            marker={"symbol": "square", "size": 20, "color": "rgba(0,0,0,0)", "line": {"width": 0}},
            customdata=[[i, j] for i, j in group],
            hovertext=[hover[i][j] for i, j in group],
            hovertemplate="%{hovertext}<extra></extra>",
            showlegend=False,
        )


def shifted(share: float, dark: bool) -> str:
    """Return the colour of `SHIFTS` on its page; `share` from -1, all lost, to 1, all gained."""
    hue = SHIFT_HUES[0] if share < 0 else SHIFT_HUES[1]
    return mixed(hue, PAPER[dark], FAINTEST + (STRONGEST - FAINTEST) * min(1.0, abs(share)))


def _blue(share: float, dark: bool) -> str:
    strength = FAINTEST + (STRONGEST - FAINTEST) * min(1.0, max(0.0, share))
    return mixed(COLOUR["teacher"], PAPER[dark], strength)
