"""Charts of a lesson: one answer of a teacher as given and softened, and what moves a student, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from pages.ui import look
from pages.ui.charts.marks import figure, literal, short


def softened(
    classes: Sequence[str], plain: Sequence[float], soft: Sequence[float], plain_name: str, soft_name: str
) -> go.Figure:
    """Draw bars of one row's class probabilities at T = 1 and at the chosen T, the most likely class first."""
    order = sorted(range(len(classes)), key=lambda i: -plain[i])[:8]
    names = [short(classes[i], 16) for i in order]
    fig = figure(210, legend=True)
    fig.add_bar(
        x=names,
        y=[plain[i] for i in order],
        name=plain_name,
        marker={
            "color": look.faint(look.COLOUR["teacher"], 0.3),
            "line": {"color": look.COLOUR["teacher"], "width": look.THIN},
        },
        hovertemplate=look.hover(f"%{{x}}: %{{y:{look.SHARE}}}"),
    )
    fig.add_bar(
        x=names,
        y=[soft[i] for i in order],
        name=soft_name,
        marker=look.fill("teacher"),
        hovertemplate=look.hover(f"%{{x}}: %{{y:{look.SHARE}}}"),
    )
    fig.update_layout(barmode="group", bargap=0.3, bargroupgap=0.08)
    fig.update_yaxes(tickformat=look.SHARE_TICK, range=[0, 1], tickvals=[0, 0.5, 1])
    return fig


def shares(
    epochs: Sequence[int], parts: Mapping[str, Sequence[float]], *, epoch_title: str, y: str, height: int = 230
) -> go.Figure:
    """Draw shares that add up to 1 as layers, the first part at the bottom."""
    fig = figure(height, x=epoch_title, y=y)
    for (name, values), (colour, dash) in zip(parts.items(), look.TERMS, strict=False):
        fig.add_scatter(
            x=list(epochs),
            y=list(values),
            mode="lines" if len(values) > 1 else "markers",
            name=name,
            stackgroup="shares",
            line={"color": colour, "dash": dash, "width": look.LINE},
            fillcolor=look.band(colour),
            marker={"color": colour},
            hovertemplate=look.hover(f"{literal(name)}: %{{y:{look.SHARE}}}"),
        )
    fig.update_yaxes(tickformat=look.SHARE_TICK, range=[0, 1], tickvals=[0, 0.5, 1])
    return fig
