"""Charts of a what-if: each setting alone, student sizes, and who meets the goals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pages.ui import look
from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import figure, literal, log_axis, padded


def curve(
    points: Sequence[Mapping[str, Any]],
    *,
    x_title: str,
    y_title: str,
    zero_name: str,
    scale: Sequence[float] | None,
    height: int = 230,
) -> Drawing:
    """Draw the gain of every value of one setting with its band; the baseline is the level line at 0.

    Each point: name, gain, low, high, hover; `scale` is shared with the charts beside.
    """
    fig = figure(height, x=literal(x_title), y=literal(y_title), legend=False)
    last = len(points) - 1
    fig.add_scatter(
        x=[-0.3, last + 0.3], y=[0, 0], mode="lines", name=zero_name, hoverinfo="skip", line=look.line("baseline")
    )
    banded = [(x, p) for x, p in enumerate(points) if p["low"] is not None and p["high"] is not None]
    if banded:
        fig.add_scatter(
            x=[x for x, _ in banded] + [x for x, _ in reversed(banded)],
            y=[p["low"] for _, p in banded] + [p["high"] for _, p in reversed(banded)],
            mode="lines",
            fill="toself",
            fillcolor=look.band(look.COLOUR["student"]),
            line={"width": 0},
            hoverinfo="skip",
        )
    fig.add_scatter(
        x=list(range(len(points))),
        y=[p["gain"] for p in points],
        mode="lines+markers",
        line=look.line("student"),
        marker=look.mark("student", size=look.SMALL_MARK),
        hovertext=[p["hover"] for p in points],
        hovertemplate=look.hover("%{hovertext}"),
    )
    fig.update_layout(hovermode="closest", dragmode=False)
    names = [literal(p["name"]) for p in points]
    ticks = {"tickvals": list(range(len(points))), "ticktext": names, "range": [-0.35, last + 0.35]}
    fig.update_xaxes(**ticks, fixedrange=True, showgrid=False)
    fig.update_yaxes(fixedrange=True, **({"range": list(scale)} if scale else {}))
    return fig


def marked(fig: Drawing, points: Sequence[Mapping[str, Any]]) -> Drawing:
    """Write a mark (pass, fail) beside points that are drawn; each holds x, y, mark."""
    return fig.add_scatter(
        x=[p["x"] for p in points],
        y=[p["y"] for p in points],
        mode="text",
        text=[f"<b>{literal(p['mark'])}</b>&nbsp;&nbsp;&nbsp;" for p in points],
        textposition="middle left",
        textfont={"size": look.TEXT + 2},
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )


def sizes(
    arms: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    teacher: float | None,
    names: Mapping[str, str],
    x_title: str,
    y_title: str,
    written: Callable[[float], str],
    lower_is_better: bool,
    height: int = 400,
) -> Drawing:
    """Draw score against parameters for students and their baselines, the spread over seeds as a band.

    `arms[arm]` holds x, y, low, high, hover from small to large; the teacher is a level line.
    """
    fig = figure(height, x=x_title, y=literal(y_title))
    every = [p for points in arms.values() for p in points]
    axis = log_axis([p["x"] for p in every], written)
    own = sorted({p["x"] for p in every})
    axis |= {"tickvals": own, "ticktext": [written(v) for v in own]}
    if teacher is not None:
        ends = [10**v for v in axis["range"]]
        fig.add_scatter(
            x=ends,
            y=[teacher, teacher],
            mode="lines",
            name=names["teacher"],
            line=look.line("teacher"),
            hovertemplate=look.hover(f"{literal(names['teacher'])}: %{{y:{look.SCORE}}}"),
        )
    for arm, points in arms.items():
        banded = [p for p in points if p["low"] is not None]
        if len(banded) > 1:
            fig.add_scatter(
                x=[p["x"] for p in banded] + [p["x"] for p in reversed(banded)],
                y=[p["low"] for p in banded] + [p["high"] for p in reversed(banded)],
                mode="lines",
                fill="toself",
                fillcolor=look.band(look.COLOUR[arm]),
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
            )
        alone = len(points) == 1 and points[0]["low"] is not None
        aside = 0.985 if alone and arm == "baseline" else 1.0  # so that its bar is not hidden by the student's
        fig.add_scatter(
            x=[p["x"] * aside for p in points],
            y=[p["y"] for p in points],
            mode="lines+markers+text",
            text=[f"&nbsp;&nbsp;{literal(p['label'])}" if arm == "student" else "" for p in points],
            textposition="middle right" if len(points) == 1 else "top center",
            cliponaxis=False,
            name=names[arm],
            legendrank=look.rank(arm),
            line=look.line(arm),
            marker=look.mark(arm),
            error_y=look.interval(
                [p["y"] for p in points],
                [p["low"] if alone else None for p in points],
                [p["high"] if alone else None for p in points],
                look.COLOUR[arm],
            ),
            hovertext=[p["hover"] for p in points],
            hovertemplate=look.hover("%{hovertext}"),
        )
    fig.update_xaxes(**axis)
    ends = [v for p in every for v in (p["y"], p["low"], p["high"]) if v is not None]
    span = padded([*ends, *([teacher] if teacher is not None else [])], 0.12)
    if span:
        fig.update_yaxes(range=span[::-1] if lower_is_better else span)
    return fig
