"""What one column adds to an answer: a curve, points in time, or a bar for each label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import COLOUR, FAINT, figure, literal, short

HEIGHT = 220
_BAR, _EDGES = 24, 64  # pixels of a label, and of what is around all of them


def curve(
    kind: str, values: Sequence[Any], added: Sequence[float], *, scale: tuple[float, float], hover: str, missing: str
) -> Drawing:
    """Draw one column on the scale that all share, so that their sizes can be compared.

    `hover` holds {value} and {added}; `missing`: what to call a last bar whose label is None.
    """
    labels = [missing if v is None else short(str(v)) for v in values] if kind == "labels" else list(values)
    told = [
        hover.format(value=literal(str(name)), added=f"{number:+.3g}".replace("-", "−"))
        for name, number in zip(labels, added, strict=True)
    ]
    common = {"customdata": told, "hovertemplate": "%{customdata}<extra></extra>", "showlegend": False}
    if kind == "labels":
        fig = figure(_EDGES + _BAR * len(labels), legend=False)
        fig.add_bar(
            x=list(added), y=list(range(len(labels))), orientation="h", marker={"color": COLOUR["student"]}, **common
        )
        fig.update_yaxes(tickvals=list(range(len(labels))), ticktext=labels, autorange="reversed", showgrid=False)
        fig.update_xaxes(range=list(scale), zeroline=True, zerolinecolor=FAINT)
        return fig
    fig = figure(HEIGHT, legend=False)
    if kind == "time":
        look: dict[str, Any] = {"mode": "markers", "marker": {"size": 5, "color": COLOUR["student"]}}
    else:
        look = {"mode": "lines", "line": {"width": 2, "color": COLOUR["student"]}}
    fig.add_scatter(x=list(values), y=list(added), **look, **common)
    fig.update_yaxes(range=list(scale), zeroline=True, zerolinecolor=FAINT)
    return fig
