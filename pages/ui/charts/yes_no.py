"""The precision-recall curve of a yes-or-no model, with its threshold marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import COLOUR, FAINT, SYMBOL, figure, literal

Mark = Mapping[str, Any]  # name, recall, precision, hover, filled


def precision_recall(
    curve: Mapping[str, Sequence[float]],
    marks: Sequence[Mark],
    *,
    name: str,
    x_title: str,
    y_title: str,
    hover: str,
    guess: tuple[float, str],
    height: int = 360,
) -> Drawing:
    """Draw how many of the called rows are right against how many of the right ones are called; `guess`: the share of positive rows, with its name."""
    fig = figure(height, x=x_title, y=y_title)
    share, said = guess
    fig.add_scatter(
        x=[0, 1],
        y=[share, share],
        mode="lines",
        name=literal(said),
        line={"color": FAINT, "dash": "dot", "width": 1.5},
        hoverinfo="skip",
    )
    fig.add_scatter(
        x=list(curve["recall"]),
        y=list(curve["precision"]),
        mode="lines",
        name=literal(name),
        line={"color": COLOUR["student"], "width": 2, "shape": "hv"},
        customdata=[[100 * value] for value in curve["threshold"]],
        hovertemplate=f"{literal(hover)} %{{customdata[0]:.3g}} %<br>%{{x:.2f}} · %{{y:.2f}}<extra></extra>",
    )
    for mark in marks:
        symbol = SYMBOL["student"] if mark["filled"] else f"{SYMBOL['student']}-open"
        fig.add_scatter(
            x=[mark["recall"]],
            y=[mark["precision"]],
            mode="markers",
            name=literal(mark["name"]),
            marker={"color": COLOUR["student"], "symbol": symbol, "size": 12, "line": {"width": 2}},
            hovertemplate=f"{literal(mark['hover'])}<extra></extra>",
            cliponaxis=False,
        )
    fig.update_xaxes(range=[-0.02, 1.02])
    fig.update_yaxes(range=[-0.02, 1.05])
    return fig
