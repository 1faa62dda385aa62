"""What one column adds to an answer: a curve, points in time, or a bar for each label; of two together a table of coloured cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pages.ui import look
from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import figure, literal, short

HEIGHT = 220
_BAR, _EDGES = 24, 64  # pixels of a label, and of what is around all of them
TABLE_HEIGHT = 300
_NAMED = 7  # values that are written at an axis of a table


def curve(
    kind: str, values: Sequence[Any], added: Sequence[float], *, scale: tuple[float, float], hover: str, missing: str
) -> Drawing:
    """Draw one column on the scale that all share, so that their sizes can be compared.

    `hover` holds {value} and {added}; `missing`: what to call a last bar whose label is None.
    """
    labels = [missing if v is None else short(str(v)) for v in values] if kind == "labels" else list(values)
    told = [
        hover.format(value=literal(str(name)), added=look.change(number))
        for name, number in zip(labels, added, strict=True)
    ]
    common = {"customdata": told, "hovertemplate": look.hover("%{customdata}"), "showlegend": False}
    if kind == "labels":
        fig = figure(_EDGES + _BAR * len(labels), legend=False)
        fig.add_bar(x=list(added), y=list(range(len(labels))), orientation="h", marker=look.fill("student"), **common)
        fig.update_yaxes(tickvals=list(range(len(labels))), ticktext=labels, autorange="reversed", showgrid=False)
        fig.update_xaxes(range=list(scale), zeroline=True, zerolinecolor=look.FAINT)
        return fig
    fig = figure(HEIGHT, legend=False)
    if kind == "time":
        drawn: dict[str, Any] = {"mode": "markers", "marker": look.mark("student", size=look.SMALL_MARK)}
    else:
        drawn = {"mode": "lines", "line": look.line("student")}
    fig.add_scatter(x=list(values), y=list(added), **drawn, **common)
    fig.update_yaxes(range=list(scale), zeroline=True, zerolinecolor=look.FAINT)
    return fig


def table(
    first: Sequence[str],
    second: Sequence[str],
    added: Sequence[Sequence[float]],
    *,
    names: tuple[str, str],
    scale: float,
    hover: str,
) -> Drawing:
    """Draw what two columns add together, the values of the first upwards and of the second to the right, each place one cell.

    Shape: added (A, B). `hover` holds {first}, {second} and {added}; `scale`: where the colours end, the same for all tables.
    """
    fig = figure(TABLE_HEIGHT, x=short(names[1]), y=short(names[0]), legend=False)
    told = [
        [
            hover.format(first=literal(one), second=literal(other), added=look.change(v))
            for other, v in zip(second, row, strict=True)
        ]
        for one, row in zip(first, added, strict=True)
    ]
    fig.add_heatmap(
        z=[list(row) for row in added],
        colorscale=look.SHIFTS,
        zmin=-scale,
        zmax=scale,
        customdata=told,
        hovertemplate=look.hover("%{customdata}"),
        colorbar={**look.scale(), "nticks": 5},
    )
    for axis, values in ((fig.update_xaxes, second), (fig.update_yaxes, first)):
        some = range(0, len(values), -(-len(values) // _NAMED))
        axis(tickvals=list(some), ticktext=[short(values[i], 12) for i in some], showgrid=False)
    return fig
