"""Charts of a student looked at closer: scores of disturbed rows, what models lean on, and what counts in one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pages.ui import look
from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import figure, literal, short
from pages.ui.look import ARMS, rank, shifted

_BAR, _EDGES = 26, 76  # pixels of a column's bars, and of what is around all of them
Line = Mapping[str, Any]  # way, strength, arm, score


def disturbed(
    lines: Sequence[Line], undisturbed: Mapping[str, float], names: Mapping[str, str], *, x: str, y: str, hover: str
) -> Drawing:
    """Draw each model's score as rows are disturbed more and more; `hover` holds {arm}, {strength} and {score}."""
    fig = figure(260, x=x, y=y)
    for arm in (a for a in ARMS if a in undisturbed):
        points = [(0.0, undisturbed[arm])] + [(p["strength"], p["score"]) for p in lines if p["arm"] == arm]
        told = [
            hover.format(arm=literal(names[arm]), strength=f"{100 * strength:.0f} %", score=f"{score:.3f}")
            for strength, score in points
        ]
        fig.add_scatter(
            x=[100 * strength for strength, _ in points],
            y=[score for _, score in points],
            mode="lines+markers",
            name=names[arm],
            legendrank=look.rank(arm),
            line=look.line(arm),
            marker=look.mark(arm),
            customdata=told,
            hovertemplate=look.hover("%{customdata}"),
        )
    ticks = sorted({0.0, *(100 * p["strength"] for p in lines)})
    fig.update_xaxes(tickvals=ticks, ticktext=[f"{value:.0f} %" for value in ticks])
    return fig


def leaning(
    columns: Sequence[str],
    by_arm: Mapping[str, Mapping[str, float]],
    names: Mapping[str, str],
    *,
    x: str,
    hover: str,
    spreads: Mapping[str, Mapping[str, float]] | None = None,
) -> Drawing:
    """Draw what each model loses without each column, side by side; `hover` holds {arm}, {column} and {value}."""
    arms = sorted(by_arm, key=rank)
    fig = figure(_EDGES + max(2, len(arms)) // 2 * _BAR * max(1, len(columns)), x=x)
    for arm in arms:
        values = [by_arm[arm].get(name, 0.0) for name in columns]
        told = [
            hover.format(arm=literal(names[arm]), column=literal(name), value=look.change(value))
            for name, value in zip(columns, values, strict=True)
        ]
        error = [(spreads or {}).get(arm, {}).get(name, 0.0) for name in columns]
        fig.add_bar(
            x=values,
            y=list(range(len(columns))),
            orientation="h",
            name=names[arm],
            legendrank=look.rank(arm),
            marker=look.fill(arm),
            error_x=look.interval(
                values,
                [v - e for v, e in zip(values, error, strict=True)],
                [v + e for v, e in zip(values, error, strict=True)],
                look.GREY,
            ),
            customdata=told,
            hovertemplate=look.hover("%{customdata}"),
        )
    fig.update_layout(barmode="group", bargap=0.25)
    fig.update_yaxes(
        tickvals=list(range(len(columns))), ticktext=[short(n) for n in columns], autorange="reversed", showgrid=False
    )
    fig.update_xaxes(zeroline=True, zerolinecolor=look.FAINT)
    return fig


def squares(effects: Sequence[float], grid: int, *, most: float, dark: bool, hover: str) -> Drawing:
    """Draw by how much each square of a picture raised an answer; `most`: of all pictures side by side. `hover` holds {effect}."""
    rows = [list(effects[i * grid : (i + 1) * grid]) for i in range(grid)]
    scale = most or 1.0
    steps = [[share, shifted(2 * share - 1, dark)] for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    fig = figure(230, legend=False)
    fig.add_heatmap(
        z=rows,
        zmin=-scale,
        zmax=scale,
        colorscale=steps,
        showscale=False,
        xgap=1,
        ygap=1,
        customdata=[[hover.format(effect=look.change(v)) for v in row] for row in rows],
        hovertemplate=look.hover("%{customdata}"),
    )
    fig.update_xaxes(visible=False)
    fig.update_yaxes(visible=False, autorange="reversed", scaleanchor="x")
    return fig
