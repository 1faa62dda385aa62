"""How much each layer of a student loses when it alone is made smaller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pages.ui import look
from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import figure, level, literal, short

PATTERNS = ("", "/", "x", ".")  # how what was done to a layer is told apart, beside its shade
ROW, HEAD = 26, 70  # pixels of a bar and of what stands around them


def sensitivity(series: Sequence[Mapping[str, Any]], *, x_title: str, goal: tuple[float, str] | None = None) -> Drawing:
    """Draw a bar for each layer, the first layer on top; several things done to a layer lie under each other.

    `series`: per thing done its `name`, `layers`, what they `lost` and the `hover` of each; `goal`: what may be lost in all, with its name.
    """
    rows = max((len(one["layers"]) for one in series), default=1)
    fig = figure(HEAD + ROW * max(3, rows * len(series)), x=x_title, legend=len(series) > 1)
    for i, one in enumerate(series):
        fig.add_bar(
            y=[short(name, 30) for name in one["layers"]],
            x=list(one["lost"]),
            name=literal(one["name"]),
            orientation="h",
            text=list(one["written"]),
            textposition="outside",
            cliponaxis=False,
            hovertext=list(one["hover"]),
            textfont={"size": look.NOTE},
            hovertemplate=look.hover("%{hovertext}"),
            marker=look.filled(
                look.faint(look.COLOUR["compressed"], 1.0 - 0.6 * i / max(1, len(series) - 1)),
                PATTERNS[i % len(PATTERNS)],
            ),
        )
    values = [v for one in series for v in one["lost"]] or [0.0]
    low, high = min(0.0, *values), max(0.0, *values)
    room = 0.18 * ((high - low) or 1.0)
    fig.update_xaxes(range=[low - (room if low < 0 else 0.0), high + room], zeroline=True, zerolinecolor=look.FAINT)
    fig.update_yaxes(autorange="reversed", type="category")
    fig.update_layout(barmode="group", bargap=0.25)
    if goal is not None and low <= goal[0] <= high + room:
        level(fig, goal[0], goal[1], across=True)
    return fig
