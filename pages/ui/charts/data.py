"""Charts of a column as understood."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from pages.ui import look
from pages.ui.charts.marks import figure, literal, short
from pages.ui.shared.text import exact


def distribution(labels: Sequence[str], counts: Sequence[int], x: str, y: str) -> go.Figure:
    """Draw how often each value or range of a column occurs; a log axis would hide the small ones, so none."""
    fig = figure(230, x=literal(x), y=y, legend=False)
    fig.add_bar(
        x=list(range(len(labels))),
        y=list(counts),
        marker=look.filled(look.DATA, ""),
        hovertext=[f"{literal(name)}<br>{exact(count)}" for name, count in zip(labels, counts, strict=True)],
        hovertemplate=look.hover("%{hovertext}"),
    )
    every = max(1, len(labels) // 10)
    ticks = list(range(0, len(labels), every))
    fig.update_xaxes(tickvals=ticks, ticktext=[short(labels[i], 14) for i in ticks])
    fig.update_layout(bargap=0.15)
    return fig


def named(labels: Sequence[str], counts: Sequence[int], x: str, y: str) -> go.Figure:
    """Draw how often each named value occurs, the names beside lying bars, where they can be read; the first on top."""
    fig = figure(90 + 20 * len(labels), x=y, legend=False)
    fig.add_bar(
        y=list(range(len(labels))),
        x=list(counts),
        orientation="h",
        marker=look.filled(look.DATA, ""),
        hovertext=[f"{literal(name)}<br>{exact(count)}" for name, count in zip(labels, counts, strict=True)],
        hovertemplate=look.hover("%{hovertext}"),
    )
    places, names = list(range(len(labels))), [short(name, 24) for name in labels]
    fig.update_yaxes(
        tickvals=places, ticktext=names, range=[len(labels) - 0.5, -0.5], showgrid=False, title_text=literal(x)
    )
    fig.update_layout(bargap=0.2)
    return fig
