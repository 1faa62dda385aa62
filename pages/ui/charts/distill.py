"""The picture beside the temperature slider: one answer of a teacher, as given and softened."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from pages.ui.charts.marks import COLOUR, faint, figure, short


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
        marker={"color": faint(COLOUR["teacher"], 0.3), "line": {"color": COLOUR["teacher"], "width": 1.5}},
        hovertemplate="%{x}: %{y:.1%}<extra></extra>",
    )
    fig.add_bar(
        x=names,
        y=[soft[i] for i in order],
        name=soft_name,
        marker={"color": COLOUR["teacher"]},
        hovertemplate="%{x}: %{y:.1%}<extra></extra>",
    )
    fig.update_layout(barmode="group", bargap=0.3, bargroupgap=0.08)
    fig.update_yaxes(tickformat=".0%", range=[0, 1], tickvals=[0, 0.5, 1])
    return fig
