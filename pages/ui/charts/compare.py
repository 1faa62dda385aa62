"""The charts that answer: which one would I ship, and how long does each take?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pages.ui import look
from pages.ui.charts import placing
from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import figure, literal, log_axis
from pages.ui.charts.result import Point, scatter_arms, score_range

LINE, LINES = 20, 2  # pixels of a line of the legend, and how many of them the places of labels reckon with
SIGN, LEFT = 45, 60  # pixels of a mark beside its name in the legend, and to the left of a plot


def pareto(
    points: Sequence[Point],
    front: Sequence[str],
    *,
    metric: str,
    x_title: str,
    names: Mapping[str, str],
    written: Callable[[float], str],
    lower_is_better: bool,
    binary: bool = False,
    front_name: str,
    picked: Sequence[str] = (),
    named: str | None = None,
    named_as: str = "",
    goal: tuple[float, float] | None = None,
    goal_name: str = "",
    paths: Sequence[Sequence[str]] = (),
    most: float | None = None,
    height: int = 480,
    wide: int = placing.WIDER,
) -> Drawing:
    """Draw a metric against a cost; dominated points faded, the front joined, the goal region shaded.

    `front` holds point ids in order of cost; `goal` is (largest cost, worst metric value) allowed; `paths`: ids that are joined in
    their order, as the stages of a chain are; `most`: the best score there can be. `named`: the point that is the answer, ringed and
    told in the legend as `named_as`; `picked`: those that a person chose, framed.
    """
    fig = figure(height, x=x_title, y=literal(metric))
    by_id = {p["id"]: p for p in points}
    axis = log_axis([p["x"] for p in points] + ([goal[0]] if goal else []), written, binary=binary)
    scores = [v for p in points for v in (p["y"], p.get("low"), p.get("high"))]
    span = score_range([*scores, goal[1] if goal else None], lower_is_better, most)
    if goal and span:
        _region(fig, goal, axis["range"][0], span[1], goal_name)
    line = [by_id[i] for i in front if i in by_id]
    if len(line) > 1:
        fig.add_scatter(
            x=[p["x"] for p in line],
            y=[p["y"] for p in line],
            mode="lines",
            name=front_name,
            line={"color": look.FRONT, "width": look.THIN, "shape": "hv"},
            hoverinfo="skip",
        )
    ways = [[by_id[i] for i in path if i in by_id] for path in paths]
    for way in ways:
        fig.add_scatter(
            x=[p["x"] for p in way],
            y=[p["y"] for p in way],
            mode="lines",
            showlegend=False,
            line={**look.line("compressed", width=look.THIN), "color": look.faint(look.COLOUR["compressed"], 0.6)},
            hoverinfo="skip",
        )
    edge = [{"x": 10 ** axis["range"][0], "y": goal[1]}, {"x": goal[0], "y": span[1]}] if goal and span else []
    drawn = [{**p, "ringed": p["id"] == named or p["id"] in picked} for p in points]
    moved = {
        p["id"]: p
        for p in scatter_arms(
            fig, drawn, names, (axis["range"], span) if span else None, (line,), wide, paths=ways, region=edge
        )
    }
    for ids, name, marker in (([named], named_as, look.ring()), (picked, "", look.frame())):
        around = [moved[i] for i in ids if i in moved]
        if around:
            fig.add_scatter(
                x=[p["x"] for p in around],
                y=[p["y"] for p in around],
                mode="markers",
                name=name,
                showlegend=bool(name),
                hoverinfo="skip",
                marker=marker,
            )
    fig.update_xaxes(**axis)
    if span:
        fig.update_yaxes(range=span)
    if wide < placing.WIDE:
        fig.update_layout(height=height + LINE * max(0, _legend_lines(fig, wide) - LINES))
    return fig


def _legend_lines(fig: Drawing, wide: int) -> int:
    """Count the lines of a legend above a plot of a phone's width, whose columns are as wide as its longest name."""
    names = [
        str(one.get("name") or "") for one in fig.to_dict()["data"] if one.get("showlegend", True) and one.get("name")
    ]
    columns = max(1, int((wide + LEFT) / (placing.LETTER * max(map(len, names), default=1) + SIGN)))
    return math.ceil(len(names) / columns)


def _region(fig: Drawing, goal: tuple[float, float], left: float, top: float, name: str) -> None:
    edges: dict[str, Any] = {"x0": 10**left, "x1": goal[0], "y0": goal[1], "y1": top}
    fig.add_shape(
        type="rect",
        layer="below",
        fillcolor=look.area("compressed")["color"],
        line={**look.level(), "color": look.COLOUR["compressed"]},
        **edges,
    )
    fig.add_scatter(  # its name stands in the legend: in the plot it would lie on what is drawn
        x=[None], y=[None], mode="markers", name=literal(name), hoverinfo="skip", marker=look.area("compressed")
    )


def intervals(points: Sequence[Point], *, x_title: str, written: Callable[[float], str]) -> Drawing:
    """Draw a time per candidate on a log axis: p50 as a mark, its interval over rounds as a thick bar, p95 at the end of a thin one.

    Names stand above their marks: beside them they would leave no room for the times on a narrow screen. Each point: arm, label, p50, low, high, p95, hover; the first is drawn on top.
    """
    fig = figure(70 + 46 * len(points), x=x_title, legend=False)
    places = [len(points) - 1 - i for i in range(len(points))]
    for at, p in zip(places, points, strict=True):
        colour = look.COLOUR[p["arm"]]
        for ends, width in (((p["p50"], p["p95"]), look.THIN), ((p["low"], p["high"]), look.WIDE)):
            fig.add_scatter(
                x=list(ends),
                y=[at, at],
                mode="lines",
                showlegend=False,
                hoverinfo="skip",
                line={"color": look.faint(colour, 0.45 if width == look.WIDE else 0.75), "width": width},
            )
    for arm in dict.fromkeys(p["arm"] for p in points):
        group = [(at, p) for at, p in zip(places, points, strict=True) if p["arm"] == arm]
        fig.add_scatter(
            x=[p["p50"] for _, p in group],
            y=[at for at, _ in group],
            mode="markers",
            showlegend=False,
            marker=look.mark(arm),
            customdata=[[p["hover"]] for _, p in group],
            hovertemplate=look.hover("%{customdata[0]}"),
        )
    fig.update_xaxes(**log_axis([v for p in points for v in (p["low"], p["high"], p["p95"])], written))
    for at, p in zip(places, points, strict=True):
        fig.add_annotation(
            x=0,
            y=at + 0.36,
            xref="paper",
            yref="y",
            xanchor="left",
            yanchor="middle",
            text=literal(p["label"]),
            **look.note(),
        )
    fig.update_yaxes(showticklabels=False, range=[-0.4, len(points) - 0.3], showgrid=False)
    return fig
