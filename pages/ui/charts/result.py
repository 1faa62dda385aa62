"""Charts of a finished run: accuracy against size, paired seeds, splits, latency."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pages.ui import look
from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import figure, level, literal, log_axis, padded, short
from pages.ui.charts.placing import AROUND, WIDE, Stand, places

# how the ways to run a model are drawn: the first filled, in the dash of its part; others by mark and dash
WAYS = (("", ""), ("-open", "dot"), ("-cross-open", "dashdot"), ("-x-open", "longdash"))
LETTERS = 34  # of a label, which may stand in two lines
Point = Mapping[str, Any]  # arm, label, x, y, low, high, hover; compare adds id, faded


def scatter_arms(
    fig: Drawing,
    points: Sequence[Point],
    names: Mapping[str, str],
    axes: tuple[Sequence[float], Sequence[float]] | None,
    steps: Sequence[Sequence[Point]] = (),
    wide: int = WIDE,
    levels: Sequence[tuple[float, int]] = (),
    paths: Sequence[Sequence[Point]] = (),
    region: Sequence[Point] = (),
) -> list[Point]:
    """Add points by the part they play, intervals as bars, labels beside them where there is room; return them where they stand.

    `axes`: the ends of both axes, the first in powers of ten; None: no labels. `steps`: the points of each line that is drawn already; `wide`: pixels of the plot; `levels`, `paths`, `region`: as in `places`.
    """
    known = [p["x"] for p in points if p["x"] > 0] or [1.0]
    aside = (
        min(known) / max(known)
    ) ** 0.015 / 1.01  # a hair to the left and right, so that no bar is hidden by the student's
    shift = {"baseline": aside, "placebo": 1 / aside}
    drawn: list[Point] = [{**p, "x": p["x"] * shift.get(p["arm"], 1.0)} for p in points]
    if axes is not None:
        drawn = [_cleared(p, drawn, *axes, fig.to_dict()["layout"]["height"], wide) for p in drawn]
    sides: list[Stand | None] = [None] * len(drawn)
    if axes is not None:
        height = fig.to_dict()["layout"]["height"]
        sides = places(
            [{**p, "label": _brief(p["label"])} for p in drawn], *axes, height, steps, wide, levels, paths, region
        )
    placed = list(zip(drawn, sides, strict=True))
    for arm in look.ARMS:
        every = [(p, side) for p, side in placed if p["arm"] == arm]
        named = False
        for faded in (False, True):
            group = [(p, side) for p, side in every if bool(p.get("faded")) == faded]
            if not group:
                continue
            values = [p["y"] for p, _ in group]
            fig.add_scatter(
                x=[p["x"] for p, _ in group],
                y=values,
                mode="markers+text" if any(side for _, side in group) else "markers",
                name=names[arm],
                legendgroup=arm,
                legendrank=look.rank(arm),
                showlegend=not named,
                text=[_beside(p["label"], side, bool(p.get("ringed"))) for p, side in group],
                textposition=[side.side if side and not side.away else "middle right" for _, side in group],
                textfont={"size": look.NOTE, "color": look.COLOUR[arm]},
                customdata=[[p.get("id", ""), p["hover"]] for p, _ in group],
                hovertemplate=look.hover("%{customdata[1]}"),
                error_y=look.interval(
                    values,
                    [p.get("low") for p, _ in group],
                    [p.get("high") for p, _ in group],
                    look.COLOUR[arm],
                    faded=faded,
                ),
                marker={**look.mark(arm), "opacity": look.FADED[arm] if faded else 1.0},
                cliponaxis=False,
            )
            named = True
    for p, side in placed:
        if side and side.away:
            _led(fig, p, side)
    return drawn


def _cleared(
    p: Point, drawn: Sequence[Point], x_range: Sequence[float], y_range: Sequence[float], height: int, wide: int
) -> Point:
    """Move a baseline to the left of the student that would hide it; what it costs is told under the pointer."""
    if p["arm"] != "baseline":
        return p
    mark = look.MARK * (x_range[1] - x_range[0]) / wide
    near = [
        q
        for q in drawn
        if q["arm"] in ("student", "compressed")
        and abs(math.log10(q["x"] / p["x"])) < mark
        and abs(q["y"] - p["y"]) < look.MARK * abs(y_range[1] - y_range[0]) / (height - AROUND)
    ]
    return {**p, "x": min(q["x"] for q in near) / 10**mark} if near else p


def _led(fig: Drawing, p: Point, stand: Stand) -> None:
    """Write a label away from its mark, with a thin line to it."""
    colour = look.COLOUR[p["arm"]]
    fig.add_annotation(
        **{**look.note(), "showarrow": True, "font": {"size": look.NOTE, "color": colour}},
        x=math.log10(p["x"]),
        y=p["y"],
        ax=stand.away[0],
        ay=-stand.away[1],
        text=_lines(p["label"], stand.words),
        arrowhead=0,
        arrowwidth=1,
        arrowcolor=colour,
        standoff=look.MARK / 2,
        borderpad=1,
    )


def _lines(label: Any, words: int) -> str:
    """A label, shortened, in one line or in two."""
    each = short(label, LETTERS).split(" ")
    return "<br>".join(" ".join(part) for part in (each[:words], each[words:]) if part)


def _brief(label: Any) -> str:
    """The label as it is seen: shortened, entities as the one letter that they are."""
    return re.sub(r"&#?\w+;", "?", short(label, LETTERS))


def _beside(label: Any, stand: Stand | None, ringed: bool = False) -> str:
    """A label with a little room to its mark, more to a ring around it, in two lines where it stands so."""
    if not stand or not label or stand.away:
        return ""
    lines = _lines(label, stand.words).split("<br>")
    space = "&nbsp;" * (4 if ringed else 1)
    room = {"left": ("", space), "right": (space, "")}.get(stand.side.split(" ")[1], ("", ""))
    return "<br>".join(f"{room[0]}{line}{room[1]}" for line in lines)


def against_size(
    points: Sequence[Point],
    *,
    metric: str,
    x_title: str,
    names: Mapping[str, str],
    written: Callable[[float], str],
    lower_is_better: bool = False,
    binary: bool = True,
    chance: tuple[float, str] | None = None,
    most: float | None = None,
    height: int = 360,
    wide: int = WIDE,
) -> Drawing:
    """Draw a metric against a cost on a log axis: teacher square, baseline cross, placebo triangle, plain model star, student
    circle.

    `chance` is the score of guessing with its name; its line is drawn where it lies in the range that matters.
    """
    fig = figure(height, x=x_title, y=literal(metric))
    axis = log_axis([p["x"] for p in points], written, binary=binary)
    span = score_range([v for p in points for v in (p["y"], p.get("low"), p.get("high"))], lower_is_better, most)
    levels = [(chance[0], len(chance[1]))] if chance and span and min(span) <= chance[0] <= max(span) else []
    scatter_arms(fig, points, names, (axis["range"], span) if span else None, wide=wide, levels=levels)
    fig.update_xaxes(**axis)
    if span:
        fig.update_yaxes(range=span)
        guessing(fig, chance, span)
    return fig


def score_range(values: Sequence[float | None], lower_is_better: bool, most: float | None = None) -> list[float] | None:
    """Return the axis of a metric with room around the values, turned round where lower is better: up is always better.

    `most`: the best score there can be; the axis ends there.
    """
    span = padded([v for v in values if v is not None], 0.16)
    if span and most is not None:
        span = [span[0], min(span[1], most)]
    return span[::-1] if span and lower_is_better else span


def guessing(fig: Drawing, chance: tuple[float, str] | None, span: Sequence[float] | None) -> None:
    """Draw the level of guessing, where it lies inside the range."""
    if chance is None or span is None or not min(span) <= chance[0] <= max(span):
        return
    level(fig, chance[0], chance[1])


def paired(
    seeds: Sequence[int],
    baseline: Sequence[float],
    student: Sequence[float],
    *,
    metric: str,
    seed_title: str,
    names: Mapping[str, str],
    placebo: Sequence[float] = (),
    lower_is_better: bool = False,
    height: int = 300,
) -> Drawing:
    """Draw each seed as a pair: baseline and student joined by a line, the placebo on it where there is one; right is better."""
    fig = figure(height, x=literal(metric))
    rows = list(range(len(seeds)))
    for y, b, s in zip(rows, baseline, student, strict=True):
        fig.add_scatter(
            x=[b, s],
            y=[y, y],
            mode="lines",
            line={"color": look.FAINT, "width": look.LINE + 1},
            showlegend=False,
            hoverinfo="skip",
        )
    for arm, values in (("student", student), ("placebo", placebo), ("baseline", baseline)):  # a cross hides nobody
        if not values:
            continue
        fig.add_scatter(
            x=list(values),
            y=rows,
            mode="markers",
            name=names[arm],
            legendrank=look.rank(arm),
            marker=look.mark(arm, size=look.MARK * (1.4 if arm == "placebo" else 1)),  # seen where it ends on the cross
            customdata=[[s] for s in seeds],
            hovertemplate=look.hover(f"{literal(names[arm])}, seed %{{customdata[0]}}: %{{x:{look.SCORE}}}"),
        )
    fig.update_xaxes(nticks=6, **({"autorange": "reversed"} if lower_is_better else {}))
    fig.update_yaxes(
        tickvals=rows, ticktext=[seed_title.format(seed=s) for s in seeds], autorange="reversed", showgrid=False
    )
    return fig


def splits(
    seeds: Sequence[int],
    mean: Sequence[float],
    low: Sequence[float | None],
    high: Sequence[float | None],
    *,
    x_title: str,
    split_title: str,
    name: str,
    height: int = 260,
) -> Drawing:
    """Draw the gain of each random split with its interval; the level line is 0, no gain."""
    fig = figure(height, x=x_title, legend=False)
    rows = list(range(len(seeds)))
    shown = [split_title.format(seed=s) for s in seeds]
    fig.add_scatter(
        x=list(mean),
        y=rows,
        mode="markers",
        name=name,
        customdata=[[s] for s in shown],
        marker=look.mark("student"),
        error_x=look.interval(mean, low, high, look.COLOUR["student"]),
        hovertemplate=look.hover(f"%{{customdata[0]}}: %{{x:{look.CHANGE}}}"),
    )
    level(fig, 0.0, across=True)
    fig.update_yaxes(tickvals=rows, ticktext=shown, autorange="reversed", showgrid=False)
    return fig


def latency(
    series: Sequence[Mapping[str, Any]],
    *,
    x_title: str,
    y_title: str,
    written: Callable[[float], str],
    height: int = 340,
) -> Drawing:
    """Draw time per batch by batch size on two log axes, p50 as points, p95 as the end of the bar.

    Each series: arm, name, way (0 for the first way of running it, drawn filled), batch[], p50[], p95[]. A line joins batches
    that follow each other among all that were measured: over a gap nothing is known.
    """
    fig = figure(height, x=x_title, y=y_title)
    every = [v for s in series for v in (*s["p50"], *s["p95"]) if v]
    batches = sorted({b for s in series for b in s["batch"]})
    for s in series:
        arm, (ending, dash) = s["arm"], WAYS[min(s["way"], len(WAYS) - 1)]
        known = {b: (p50, p95) for b, p50, p95 in zip(s["batch"], s["p50"], s["p95"], strict=True)}
        times = [known.get(b, (None, None)) for b in batches]
        middle = [a for a, _ in times]
        mark = look.mark(arm, hollow="open" in ending)
        fig.add_scatter(
            x=batches,
            y=middle,
            mode="lines+markers",
            connectgaps=False,
            name=literal(s["name"]),
            legendrank=look.rank(arm),
            line=look.line(arm, width=look.THIN) | {"dash": dash} if dash else look.line(arm),
            marker={**mark, "symbol": look.SYMBOL[arm] + ending},
            error_y=look.interval(
                [0.0 if a is None else a for a in middle], [None] * len(times), [b for _, b in times], look.COLOUR[arm]
            ),
            customdata=[[written(a), written(b)] for a, b in times],
            hovertemplate=look.hover(
                f"{literal(s['name'])}, batch %{{x}}", "p50 %{customdata[0]}, p95 %{customdata[1]}"
            ),
        )
    fig.update_xaxes(type="log", tickvals=batches, ticktext=[f"{b:,}" for b in batches], minor={"showgrid": False})
    fig.update_yaxes(**log_axis(every, written))
    return fig
