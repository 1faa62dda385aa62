"""The chart of all cells through all settings: one line per cell, from axis to axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pages.ui import look
from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import figure, literal, short
from pages.ui.charts.placing import LETTER

MOST = 18  # letters of a name


@dataclass(frozen=True)
class Axis:
    """An upright line with a value per cell between `low` and `high`; `names` stand at 0, 1, 2, ... instead of numbers."""

    label: str
    values: Sequence[float]
    low: float
    high: float
    names: Sequence[str] = ()

    def place(self, value: float) -> float:
        """Position of a value between 0 (below) and 1."""
        return 0.5 if self.high == self.low else (value - self.low) / (self.high - self.low)

    @property
    def marks(self) -> list[tuple[float, str]]:
        """Where numbers or names stand."""
        if self.names:
            return [(self.place(i), short(n, MOST)) for i, n in enumerate(self.names)]
        return [(i / 4, f"{self.low + (self.high - self.low) * i / 4:.4g}") for i in range(5)]


def _beside(axis: Axis) -> float:
    """Pixels beside an outer axis, so that its names and its title are whole on a narrow screen."""
    return 20 + LETTER * min(MOST, max(len(axis.label) / 2, *(len(name) for _, name in axis.marks)))


def parallel(
    axes: Sequence[Axis],
    gains: Sequence[float],
    hovers: Sequence[str],
    *,
    scale: float,
    gain_title: str,
    dark: bool = False,
    height: int = 420,
) -> Drawing:
    """Draw every cell as a line through all its settings to its score, coloured by its gain.

    Drawn as plain lines: Plotly's own parallel axes follow no theme and tell nothing under the pointer.
    """
    fig = figure(height, legend=False)
    places = [[axis.place(v) for v in axis.values] for axis in axes]
    for x, axis in enumerate(axes):
        fig.add_shape(
            type="line", x0=x, x1=x, y0=0, y1=1, line={"color": look.FAINT, "width": look.THIN}, layer="below"
        )
        label = {"text": f"<b>{literal(axis.label)}</b>", "x": x, "y": 1, "yshift": 18}
        fig.add_annotation(**label, **look.note())
        last = x == len(axes) - 1  # right of the last axis there are no lines
        aside: dict[str, Any] = {"xanchor": "left", "xshift": 8} if last else {"xanchor": "right", "xshift": -10}
        if x > 0 and not last:  # lines pass here: a framed plate, drawn above them
            aside |= {"bordercolor": look.EDGE[dark], "borderwidth": 1}
        for y, name in axis.marks:
            fig.add_annotation(
                x=x,
                y=y,
                text=name,
                **{**look.note(), "font": {"size": look.NOTE, "color": look.INK[dark]}},
                bgcolor=look.PAPER[dark],
                borderpad=3,
                **aside,
            )
    groups: dict[int, list[int]] = {}
    for i, gain in enumerate(gains):
        share = max(-1.0, min(1.0, gain / scale)) if scale else 0.0
        groups.setdefault(round((share + 1) / 2 * (len(look.SHIFT_STEPS) - 1)), []).append(i)
    for step, members in sorted(groups.items(), key=lambda one: abs(one[0] - len(look.SHIFT_STEPS) // 2)):
        gap: list[Any] = [None]
        fig.add_scatter(
            x=[x for _ in members for x in [*range(len(places)), *gap]],
            y=[y for i in members for y in [*(p[i] for p in places), *gap]],
            mode="lines+markers",
            showlegend=False,
            opacity=0.8,
            line={"color": look.SHIFT_STEPS[step], "width": look.THIN},
            marker={"color": look.SHIFT_STEPS[step], "size": look.SMALL_MARK},
            hovertext=[hovers[i] for i in members for _ in range(len(places) + 1)],
            hovertemplate=look.hover("%{hovertext}"),
        )
    colours = [[i / (len(look.SHIFT_STEPS) - 1), c] for i, c in enumerate(look.SHIFT_STEPS)]
    scaled = {"colorscale": colours, "cmin": -scale, "cmax": scale}
    fig.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        showlegend=False,
        hoverinfo="skip",
        marker={
            "color": [0],
            **scaled,
            "showscale": True,
            "colorbar": {**look.scale(gain_title, dark), "xpad": _beside(axes[-1])},
        },
    )
    fig.update_layout(margin={"t": look.TITLED, "l": _beside(axes[0])}, hovermode="closest", dragmode=False)
    fig.update_xaxes(visible=False, range=[-0.06, len(places) - 0.94], fixedrange=True)
    fig.update_yaxes(visible=False, range=[-0.04, 1.1], fixedrange=True)
    return fig
