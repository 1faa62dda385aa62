"""What moves a student, epoch by epoch: the shares of labels and terms, one above the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from pages.ui.charts.marks import faint, figure, literal

# labels first, then terms in their order; the first two as in the chart of losses
LOOKS = (
    ("#E69F00", "dot"),
    ("#CC79A7", "dash"),
    ("#56B4E9", "solid"),
    ("#009E73", "dashdot"),
    ("#8C6BB1", "longdash"),
    ("#999933", "longdashdot"),
    ("#7F7F7F", "solid"),
)


def shares(
    epochs: Sequence[int], parts: Mapping[str, Sequence[float]], *, epoch_title: str, y: str, height: int = 230
) -> go.Figure:
    """Draw shares that add up to 1 as layers, the first part at the bottom."""
    fig = figure(height, x=epoch_title, y=y)
    for (name, values), (colour, dash) in zip(parts.items(), LOOKS, strict=False):
        fig.add_scatter(
            x=list(epochs),
            y=list(values),
            mode="lines" if len(values) > 1 else "markers",
            name=name,
            stackgroup="shares",
            line={"color": colour, "dash": dash, "width": 1.8},
            fillcolor=faint(colour, 0.25),
            marker={"color": colour},
            hovertemplate=f"{literal(name)}: %{{y:.1%}}<extra></extra>",
        )
    fig.update_yaxes(tickformat=".0%", range=[0, 1], tickvals=[0, 0.5, 1])
    return fig
