"""Charts of rows with several labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from pages.ui.charts.marks import FAINT, figure, literal, short

# found, missed, called wrongly: told apart by pattern too
LOOKS = (("#4C9F70", ""), ("#D98C3F", "/"), (FAINT, "x"))


def found_and_missed(counts: Any, labels: Sequence[str], *, words: Sequence[str], x_title: str) -> go.Figure:
    """Draw three bars on each other for every label: rows in which it was found, missed, and called wrongly. Shape: counts (K, 3)."""
    fig = figure(140 + 26 * len(labels), x=x_title)
    places = list(range(len(labels)))
    for part, (word, (colour, shape)) in enumerate(zip(words, LOOKS, strict=True)):
        fig.add_bar(
            y=places,
            x=[float(row[part]) for row in counts],
            orientation="h",
            name=word,
            marker={"color": colour, "pattern": {"shape": shape, "size": 6, "solidity": 0.3, "fillmode": "overlay"}},
            customdata=[literal(name) for name in labels],
            hovertemplate=f"{literal(word)}<br>%{{customdata}}: %{{x:.4g}}<extra></extra>",
        )
    fig.update_layout(barmode="stack", bargap=0.3)
    ticks = [str(short(name, 20)) for name in labels]
    fig.update_yaxes(tickvals=places, ticktext=ticks, range=[len(labels) - 0.5, -0.5], showgrid=False)
    return fig
