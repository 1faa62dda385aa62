"""Charts of a lesson: one answer of a teacher as given and softened, and what moves a student, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from pages.ui import look
from pages.ui.charts.marks import figure, literal, share_axis, short


def softened(
    classes: Sequence[str], plain: Sequence[float], soft: Sequence[float], plain_name: str, soft_name: str
) -> go.Figure:
    """Draw bars of one row's class probabilities at T = 1 and at the chosen T, the most likely class first."""
    order = sorted(range(len(classes)), key=lambda i: -plain[i])[:8]
    places = list(range(len(order)))
    fig = figure(90 + 34 * len(order), legend=True)
    for values, name, marker in (
        (plain, plain_name, look.outlined("teacher")),
        (soft, soft_name, look.fill("teacher")),
    ):
        fig.add_bar(
            y=places,
            x=[values[i] for i in order],
            orientation="h",
            name=name,
            marker=marker,
            customdata=[literal(classes[i]) for i in order],
            hovertext=[look.share(values[i]) for i in order],
            hovertemplate=look.hover("%{customdata}: %{hovertext}"),
        )
    fig.update_layout(barmode="group", bargap=0.25, bargroupgap=0.08)
    fig.update_yaxes(
        tickvals=places, ticktext=[short(classes[i], 16) for i in order], range=[len(order) - 0.5, -0.5], showgrid=False
    )
    fig.update_xaxes(range=[0, 1.05 * max(*plain, *soft)], **share_axis(0, max(*plain, *soft)))
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
            hovertext=[look.share(v) for v in values],
            hovertemplate=look.hover(f"{literal(name)}: %{{hovertext}}"),
        )
    fig.update_yaxes(range=[0, 1], **share_axis(0, 1, most=2))
    return fig
