"""Charts of a finished run: accuracy against size, paired seeds, splits, calibration, latency."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import ARMS, COLOUR, FAINT, SYMBOL, faint, figure, literal, log_axis, padded, short

# Still seen on a dark page: grey at less than this has a contrast below 3 there.
FADED = {"teacher": 0.5, "baseline": 0.75, "plain": 0.6, "compressed": 0.6, "student": 0.5}
WAYS = (
    ("solid", ""),
    ("dot", "-open"),
    ("dash", "-open-dot"),
    ("dashdot", "-dot"),
)  # how the ways to run a model are drawn
SIDES = (
    "bottom right",
    "top left",
    "bottom left",
    "top right",
)  # of labels by turns: stages of a chain lie close together
Point = Mapping[str, Any]  # arm, label, x, y, low, high, hover; compare adds id, faded


def scatter_arms(fig: Drawing, points: Sequence[Point], names: Mapping[str, str], *, label: bool = True) -> None:
    """Add points by the part they play, intervals as bars, labels beside them."""
    known = [p["x"] for p in points if p["x"] > 0] or [1.0]
    aside = (
        min(known) / max(known)
    ) ** 0.015 / 1.01  # a hair to the left and right, so that no bar is hidden by the student's
    shift = {"baseline": aside, "placebo": 1 / aside}
    for arm in ARMS:
        every = [p for p in points if p["arm"] == arm]
        named = False
        for faded in (False, True):
            group = [p for p in every if bool(p.get("faded")) == faded]
            labelled = (
                label and arm != "plain"
            )  # beside a student of nearly its size, two labels would lie on each other
            if not group:
                continue
            fig.add_scatter(
                x=[p["x"] * shift.get(arm, 1.0) for p in group],
                y=[p["y"] for p in group],
                mode="markers+text" if label else "markers",
                name=names[arm],
                legendgroup=arm,
                showlegend=not named,
                opacity=FADED[arm] if faded else 1.0,
                text=[_beside(p["label"], arm) if labelled and p["label"] and not faded else "" for p in group],
                textposition=[SIDES[i % len(SIDES)] for i in range(len(group))]
                if arm == "compressed"
                else "middle left"
                if arm == "teacher"
                else "top right",
                textfont={"size": 11},
                customdata=[[p.get("id", ""), p["hover"]] for p in group],
                hovertemplate="%{customdata[1]}<extra></extra>",
                error_y=_bars(group, COLOUR[arm]),
                marker={
                    "color": COLOUR[arm],
                    "symbol": SYMBOL[arm],
                    "size": 12 if arm != "baseline" else 10,
                    "line": {"width": 1, "color": "rgba(255,255,255,0.8)"} if arm != "baseline" else {"width": 0},
                },
                cliponaxis=False,
            )
            named = True


def _beside(label: Any, arm: str) -> str:
    """A label with a little room to its mark."""
    return f"{short(label)}&nbsp;&nbsp;" if arm == "teacher" else f"&nbsp;&nbsp;{short(label)}"


def _bars(group: Sequence[Point], colour: str) -> dict[str, Any]:
    up = [max(p["high"] - p["y"], 0) if p.get("high") is not None else 0 for p in group]
    down = [max(p["y"] - p["low"], 0) if p.get("low") is not None else 0 for p in group]
    return {
        "type": "data",
        "symmetric": False,
        "array": up,
        "arrayminus": down,
        "thickness": 1.4,
        "width": 4,
        "color": faint(colour, 0.75),
        "visible": any(up) or any(down),
    }


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
    height: int = 360,
) -> Drawing:
    """Draw a metric against a cost on a log axis: teacher square, baseline cross, placebo triangle, plain model star, student
    circle.

    `chance` is the score of guessing with its name; its line is drawn where it lies in the range that matters.
    """
    fig = figure(height, x=x_title, y=literal(metric))
    scatter_arms(fig, points, names)
    fig.update_xaxes(**log_axis([p["x"] for p in points], written, binary=binary))
    ends = [v for p in points for v in (p["y"], p.get("low"), p.get("high")) if v is not None]
    span = padded(ends, 0.18)
    if span:
        fig.update_yaxes(range=span[::-1] if lower_is_better else span)
        guessing(fig, chance, span)
    return fig


def guessing(fig: Drawing, chance: tuple[float, str] | None, span: Sequence[float] | None) -> None:
    """Draw the level of guessing, where it lies inside the range."""
    if chance is None or span is None or not min(span) <= chance[0] <= max(span):
        return
    value, name = chance
    line = {"color": FAINT, "width": 1.5, "dash": "dot"}
    fig.add_shape(type="line", xref="paper", x0=0, x1=1, y0=value, y1=value, line=line, layer="below")
    fig.add_annotation(
        xref="paper", x=1, y=value, text=name, showarrow=False, xanchor="right", yanchor="bottom", font={"size": 11}
    )


def paired(
    seeds: Sequence[int],
    baseline: Sequence[float],
    student: Sequence[float],
    *,
    metric: str,
    seed_title: str,
    names: Mapping[str, str],
    placebo: Sequence[float] = (),
    height: int = 300,
) -> Drawing:
    """Draw each seed as a pair: baseline and student joined by a line, the placebo on it where there is one."""
    fig = figure(height, x=literal(metric))
    places = list(range(len(seeds)))
    for y, b, s in zip(places, baseline, student, strict=True):
        fig.add_scatter(
            x=[b, s], y=[y, y], mode="lines", line={"color": FAINT, "width": 3}, showlegend=False, hoverinfo="skip"
        )
    for arm, values in (("baseline", baseline), ("placebo", placebo), ("student", student)):
        if not values:
            continue
        fig.add_scatter(
            x=list(values),
            y=places,
            mode="markers",
            name=names[arm],
            marker={"color": COLOUR[arm], "symbol": SYMBOL[arm], "size": 12},
            customdata=[[s] for s in seeds],
            hovertemplate=f"{literal(names[arm])}, seed %{{customdata[0]}}: %{{x:.4f}}<extra></extra>",
        )
    fig.update_xaxes(nticks=6)
    fig.update_yaxes(
        tickvals=places, ticktext=[seed_title.format(seed=s) for s in seeds], autorange="reversed", showgrid=False
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
    places = list(range(len(seeds)))
    shown = [split_title.format(seed=s) for s in seeds]
    fig.add_scatter(
        x=list(mean),
        y=places,
        mode="markers",
        name=name,
        customdata=[[s] for s in shown],
        marker={"color": COLOUR["student"], "symbol": SYMBOL["student"], "size": 11},
        error_x={
            "type": "data",
            "symmetric": False,
            "thickness": 1.4,
            "width": 4,
            "color": faint(COLOUR["student"], 0.75),
            "array": [0 if h is None else h - m for m, h in zip(mean, high, strict=True)],
            "arrayminus": [0 if v is None else m - v for m, v in zip(mean, low, strict=True)],
        },
        hovertemplate="%{customdata[0]}: %{x:+.3g}<extra></extra>",
    )
    fig.add_shape(type="line", yref="paper", y0=0, y1=1, x0=0, x1=0, line={"color": FAINT, "width": 1.5, "dash": "dot"})
    fig.update_yaxes(tickvals=places, ticktext=shown, autorange="reversed", showgrid=False)
    return fig


def reliability(
    arms: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    names: Mapping[str, str],
    x_title: str,
    y_title: str,
    perfect: str,
    rows_word: str,
    height: int = 380,
) -> Drawing:
    """Draw how often a model is right against how sure it is; on the diagonal it is honest.

    `arms[arm]` holds confidence, accuracy and count per bin; empty bins are left out.
    """
    fig = figure(height, x=x_title, y=y_title)
    known = [v for bins in arms.values() for side in ("confidence", "accuracy") for v in bins[side] if v is not None]
    low = math.floor(10 * min(known, default=0.0)) / 10  # the surest class is never below 1 / classes: no empty half
    fig.add_scatter(
        x=[low, 1],
        y=[low, 1],
        mode="lines",
        name=perfect,
        line={"color": FAINT, "dash": "dot", "width": 1.5},
        hoverinfo="skip",
    )
    for arm, bins in arms.items():
        kept = [
            (x, y, n)
            for x, y, n in zip(bins["confidence"], bins["accuracy"], bins["count"], strict=True)
            if n and x is not None and y is not None
        ]
        most = max((n for *_, n in kept), default=1)
        fig.add_scatter(
            x=[k[0] for k in kept],
            y=[k[1] for k in kept],
            mode="lines+markers",
            name=names[arm],
            line={"color": COLOUR[arm], "width": 1.6},
            marker={"color": COLOUR[arm], "symbol": SYMBOL[arm], "size": [6 + 10 * (k[2] / most) ** 0.5 for k in kept]},
            customdata=[[k[2]] for k in kept],
            hovertemplate=f"{literal(names[arm])}<br>%{{x:.2f}} → %{{y:.2f}}, %{{customdata[0]:,.0f}} {literal(rows_word)}<extra></extra>",
        )
    fig.update_xaxes(range=[low - 0.02, 1.02])
    fig.update_yaxes(range=[low - 0.02, 1.02])
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

    Each series: arm, name, way (0 for the first way of running it, drawn filled), batch[], p50[], p95[].
    """
    fig = figure(height, x=x_title, y=y_title)
    every = [v for s in series for v in (*s["p50"], *s["p95"]) if v]
    for s in series:
        arm, (dash, ending) = s["arm"], WAYS[min(s["way"], len(WAYS) - 1)]
        fig.add_scatter(
            x=list(s["batch"]),
            y=list(s["p50"]),
            mode="lines+markers",
            name=literal(s["name"]),
            line={"color": COLOUR[arm], "dash": dash, "width": 1.8},
            marker={"color": COLOUR[arm], "symbol": SYMBOL[arm] + ending, "size": 10},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [max(b - a, 0) for a, b in zip(s["p50"], s["p95"], strict=True)],
                "arrayminus": [0] * len(s["p50"]),
                "thickness": 1.2,
                "width": 4,
                "color": faint(COLOUR[arm], 0.7),
            },
            customdata=[[written(a), written(b)] for a, b in zip(s["p50"], s["p95"], strict=True)],
            hovertemplate=(
                f"{literal(s['name'])}, batch %{{x}}<br>p50 %{{customdata[0]}}, p95 %{{customdata[1]}}<extra></extra>"
            ),
        )
    batches = sorted({b for s in series for b in s["batch"]})
    fig.update_xaxes(type="log", tickvals=batches, ticktext=[f"{b:,}" for b in batches], minor={"showgrid": False})
    fig.update_yaxes(**log_axis(every, written))
    return fig
