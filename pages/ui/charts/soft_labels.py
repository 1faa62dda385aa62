"""Charts of what the teacher says beyond the label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import BLUES, COLOUR, FAINT, SYMBOL, cells, faint, figure, literal, short

FRAME = "#808890"  # neither teacher, baseline nor student; seen on a light and on a dark page


def bars(
    arms: Mapping[str, Sequence[float]],
    classes: Sequence[str],
    *,
    names: Mapping[str, str],
    x_title: str,
    label: int | None = None,
    label_mark: str = "",
    height: int | None = None,
) -> Drawing:
    """Draw each model's probabilities for one row, classes from most to least likely for the teacher.

    `label` is the place of the true class: it is framed, and `label_mark` stands under its name.
    """
    fig = figure(height or 110 + 62 * len(classes), x=x_title)
    places = list(range(len(classes)))
    shapes = {"teacher": "", "baseline": "x", "student": "/"}
    for arm, values in arms.items():
        fig.add_bar(
            y=places,
            x=list(values),
            orientation="h",
            name=names[arm],
            marker={
                "color": COLOUR[arm],
                "pattern": {
                    "shape": shapes[arm],
                    "size": 6,
                    "solidity": 0.3,
                    "fillmode": "overlay",
                    "fgcolor": "rgba(255,255,255,0.6)",
                },
            },
            text=[f"{100 * v:.1f} %" if v >= 0.0005 else "< 0.1 %" for v in values],
            textposition="outside",
            textfont={"size": 12},
            constraintext="none",
            cliponaxis=False,
            customdata=[literal(c) for c in classes],
            hovertemplate=f"{literal(names[arm])}<br>%{{customdata}}: %{{x:.4f}}<extra></extra>",
        )
    fig.update_layout(barmode="group", bargap=0.28, bargroupgap=0.08)
    fig.update_xaxes(range=[0, 1.12], tickvals=[0, 0.25, 0.5, 0.75, 1], tickformat=".0%")
    ticks = [str(short(c, 20)) for c in classes]
    if label is not None:
        ticks[label] = f"<b>{ticks[label]}</b><br>{literal(label_mark)}"
        fig.add_shape(
            type="rect", xref="paper", x0=0, x1=1, y0=label - 0.47, y1=label + 0.47, line={"color": FRAME, "width": 2}
        )
    fig.update_yaxes(tickvals=places, ticktext=ticks, range=[len(classes) - 0.5, -0.5], showgrid=False)
    return fig


def distribution(
    arms: Mapping[str, Any],
    *,
    names: Mapping[str, str],
    x_title: str,
    y_title: str,
    low: float,
    high: float,
    bins: int = 24,
    height: int = 250,
) -> Drawing:
    """Draw how one number per row is spread over all rows, one outline per model."""
    fig = figure(height, x=x_title, y=y_title)
    edges = np.linspace(low, high, bins + 1)
    for arm, values in arms.items():
        counts, _ = np.histogram(np.clip(values, low, high), bins=edges)
        fig.add_scatter(
            x=np.repeat(edges, 2)[1:-1].tolist(),
            y=np.repeat(counts / max(len(values), 1), 2).tolist(),
            mode="lines",
            name=names[arm],
            fill="tozeroy",
            fillcolor=faint(COLOUR[arm], 0.16),
            line={"color": COLOUR[arm], "dash": {"teacher": "solid", "baseline": "dot", "student": "dash"}[arm]},
            hovertemplate=f"{literal(names[arm])}<br>%{{x:.2f}}: %{{y:.1%}}<extra></extra>",
        )
    fig.update_yaxes(tickformat=".0%", rangemode="tozero")
    fig.update_xaxes(range=[low, high])
    return fig


def similarity(
    p_CC: Any, classes: Sequence[str], *, x_title: str, y_title: str, dark: bool = False, height: int | None = None
) -> Drawing:
    """Draw the mean soft label per true class; large cells off the diagonal are classes that look alike."""
    p = np.asarray(p_CC, dtype=float)
    num = len(classes)
    fig = figure(height or max(260, 80 + 32 * min(num, 24)), x=x_title, y=y_title, legend=False)
    shade = np.where(np.isfinite(p), p, 0.0).tolist()
    fig.add_heatmap(z=shade, colorscale=BLUES, zmin=0, zmax=1, xgap=2, ygap=2, showscale=False, hoverinfo="skip")
    text = [[f"{v:.2f}" for v in row] for row in shade]
    said = [
        [f"{literal(classes[i])} → {literal(classes[j])}: {v:.3f}" for j, v in enumerate(row)]
        for i, row in enumerate(shade)
    ]
    cells(fig, shade, text, said, written=num <= 12, dark=dark)
    ticks = {"tickvals": list(range(num)), "ticktext": [short(c, 18) for c in classes], "showgrid": False}
    fig.update_xaxes(**ticks, range=[-0.5, num - 0.5])
    fig.update_yaxes(**ticks, range=[num - 0.5, -0.5])
    return fig


def predictions(
    actual: Sequence[float],
    arms: Mapping[str, Sequence[float]],
    *,
    names: Mapping[str, str],
    x_title: str,
    y_title: str,
    diagonal: str,
    row_ids: Sequence[int],
    row_title: str,
    height: int = 440,
) -> Drawing:
    """Draw predictions against true values (regression)."""
    fig = figure(height, x=x_title, y=y_title)
    ends = [float(np.min(actual)), float(np.max(actual))]
    fig.add_scatter(x=ends, y=ends, mode="lines", name=diagonal, line={"color": FAINT, "dash": "dot"}, hoverinfo="skip")
    for arm, values in arms.items():
        fig.add_scattergl(
            x=list(actual),
            y=list(values),
            mode="markers",
            name=names[arm],
            marker={"color": COLOUR[arm], "symbol": SYMBOL[arm], "size": 5, "opacity": 0.4},
            customdata=[[int(r)] for r in row_ids],
            hovertemplate=(
                f"{literal(names[arm])}, {literal(row_title)} %{{customdata[0]}}<br>%{{x:.4g}} → %{{y:.4g}}<extra></extra>"
            ),
        )
    return fig


def over_temperature(
    lines: Sequence[Mapping[str, Any]],
    temperatures: Sequence[float],
    at: int,
    *,
    x_title: str,
    y_title: str,
    height: int = 300,
) -> Drawing:
    """Draw shares over the temperature; the chosen temperature is a level mark with a point on each line.

    Lines: name, values (one per temperature), colour, dash, symbol.
    """
    fig = figure(height, x=x_title, y=y_title)
    here = temperatures[at]
    fig.add_shape(type="line", x0=here, x1=here, y0=0, y1=1, line={"color": FAINT, "width": 2}, layer="below")
    for line in lines:
        fig.add_scatter(
            x=list(temperatures),
            y=list(line["values"]),
            mode="lines",
            name=literal(line["name"]),
            line={"color": line["colour"], "dash": line["dash"], "width": 2},
            hovertemplate=f"{literal(line['name'])}<br>T = %{{x:g}}: %{{y:.1%}}<extra></extra>",
        )
    fig.add_scatter(
        x=[here for _ in lines],
        y=[line["values"][at] for line in lines],
        mode="markers",
        showlegend=False,
        hoverinfo="skip",
        marker={"color": [line["colour"] for line in lines], "symbol": [line["symbol"] for line in lines], "size": 11},
    )
    ticks = [t for t in (0.5, 1, 2, 4, 8, 16) if temperatures[0] <= t <= temperatures[-1]]
    fig.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{t:g}" for t in ticks], minor={"showgrid": False})
    fig.update_yaxes(range=[-0.02, 1.02], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1])
    return fig
