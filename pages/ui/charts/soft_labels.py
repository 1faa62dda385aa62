"""Charts of what the teacher says beyond the label, and of how far shares can be believed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pages.ui import look
from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import figure, literal, share_axis, short

FEW_ROWS = 10  # of a mark, below which it tells nothing


def bars(
    arms: Mapping[str, Sequence[float]],
    classes: Sequence[str],
    *,
    names: Mapping[str, str],
    x_title: str,
    height: int | None = None,
    whole: bool = True,
) -> Drawing:
    """Draw each model's probabilities for one row, classes from most to least likely for the teacher.

    `whole`: the axis goes to 1; else to the longest bar. A class of two lines is written in two.
    """
    fig = figure(height or 110 + 62 * len(classes), x=x_title)
    places = list(range(len(classes)))
    for arm in sorted(arms, key=look.rank):
        values = arms[arm]
        fig.add_bar(
            y=places,
            x=list(values),
            orientation="h",
            name=names[arm],
            legendrank=look.rank(arm),
            marker=look.fill(arm),
            text=[f"{100 * v:.1f} %" if v >= 0.0005 else "< 0.1 %" for v in values],
            textposition="outside",
            textfont={"size": look.NOTE},
            constraintext="none",
            cliponaxis=False,
            customdata=[literal(c) for c in classes],
            hovertext=[look.share(v) for v in values],
            hovertemplate=look.hover(literal(names[arm]), "%{customdata}: %{hovertext}"),
        )
    fig.update_layout(barmode="group", bargap=0.28, bargroupgap=0.08)
    if whole:
        fig.update_xaxes(range=[0, 1.12], **share_axis(0, 1, most=4))
    else:
        end = 1.25 * max(max(values) for values in arms.values())
        fig.update_xaxes(range=[0, end], **share_axis(0, end))
    ticks = ["<br>".join(short(line, 20) for line in c.split("\n")) for c in classes]
    fig.update_yaxes(tickvals=places, ticktext=ticks, range=[len(classes) - 0.5, -0.5], showgrid=False)
    return fig


def predictions(
    actual: Sequence[float],
    arms: Mapping[str, Sequence[float]],
    *,
    names: Mapping[str, str],
    x_title: str,
    y_title: str,
    diagonal: str,
    row_ids: Sequence[int],
    row_title: str,
    height: int = 440,
) -> Drawing:
    """Draw predictions against true values (regression)."""
    fig = figure(height, x=x_title, y=y_title)
    ends = [float(np.min(actual)), float(np.max(actual))]
    fig.add_scatter(x=ends, y=ends, mode="lines", name=diagonal, line=look.level(), hoverinfo="skip")
    for arm in sorted(arms, key=look.rank):
        values = arms[arm]
        fig.add_scattergl(
            x=list(actual),
            y=list(values),
            mode="markers",
            name=names[arm],
            legendrank=look.rank(arm),
            marker={**look.mark(arm, size=look.DOT), "opacity": 0.4},
            customdata=[[int(r)] for r in row_ids],
            hovertemplate=look.hover(
                f"{literal(names[arm])}, {literal(row_title)} %{{customdata[0]}}",
                f"%{{x:{look.VALUE}}} → %{{y:{look.VALUE}}}",
            ),
        )
    return fig


def over_temperature(
    lines: Sequence[Mapping[str, Any]],
    temperatures: Sequence[float],
    at: int,
    *,
    x_title: str,
    y_title: str,
    height: int = 300,
) -> Drawing:
    """Draw shares over the temperature; the chosen temperature is a level mark with a point on each line.

    Lines: name, part (of `look.SHARES`), values (one per temperature).
    """
    fig = figure(height, x=x_title, y=y_title)
    here = temperatures[at]
    fig.add_shape(type="line", x0=here, x1=here, y0=0, y1=1, line=look.level(), layer="below")
    for line in lines:
        fig.add_scatter(
            x=list(temperatures),
            y=list(line["values"]),
            mode="lines",
            name=literal(line["name"]),
            line=dict(zip(("color", "dash"), look.SHARES[line["part"]], strict=False)) | {"width": look.LINE},
            hovertext=[look.share(v) for v in line["values"]],
            hovertemplate=look.hover(literal(line["name"]), "T = %{x}: %{hovertext}"),
        )
    fig.add_scatter(
        x=[here for _ in lines],
        y=[line["values"][at] for line in lines],
        mode="markers",
        showlegend=False,
        hoverinfo="skip",
        marker={
            "color": [look.SHARES[line["part"]][0] for line in lines],
            "symbol": [look.SHARES[line["part"]][2] for line in lines],
            "size": look.MARK,
        },
    )
    ticks = [t for t in (0.5, 1, 2, 4, 8, 16) if temperatures[0] <= t <= temperatures[-1]]
    fig.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{t:g}" for t in ticks], minor={"showgrid": False})
    fig.update_yaxes(range=[-0.02, 1.02], **share_axis(0, 1, most=4))
    return fig


def spread(
    arms: Mapping[str, Sequence[float]],
    *,
    names: Mapping[str, str],
    x_title: str,
    y_title: str,
    height: int = 320,
    most: float = 1.0,
) -> Drawing:
    """Draw how often values between 0 and `most` occur, in ten steps, one bar a model."""
    fig = figure(height, x=x_title, y=y_title)
    edges = np.linspace(0, most, 11)
    for arm in sorted(arms, key=look.rank):
        values = arms[arm]
        counts = np.histogram(np.clip(values, 0, most), edges)[0].tolist()
        fig.add_bar(
            x=[float(e) + most / 20 for e in edges[:-1]],
            y=counts,
            name=names[arm],
            legendrank=look.rank(arm),
            marker=look.fill(arm),
            customdata=[[f"{a:.3g} – {b:.3g}"] for a, b in itertools.pairwise(edges)],
            hovertemplate=look.hover(literal(names[arm]), "%{customdata[0]}: %{y}"),
        )
    fig.update_layout(barmode="group", bargap=0.2, bargroupgap=0.05)
    fig.update_xaxes(range=[0, most], **share_axis(0, most, most=5))
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
    """Draw how often a model is right against how sure it is; on the diagonal it is honest. What has few rows is faint and not joined.

    `arms[arm]` holds confidence, accuracy and count per bin; empty bins are left out.
    """
    fig = figure(height, x=x_title, y=y_title)
    known = [v for bins in arms.values() for side in ("confidence", "accuracy") for v in bins[side] if v is not None]
    low = math.floor(10 * min(known, default=0.0)) / 10  # the surest class is never below 1 / classes: no empty half
    fig.add_scatter(x=[low, 1], y=[low, 1], mode="lines", name=perfect, line=look.level(), hoverinfo="skip")
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
            mode="markers",
            name=names[arm],
            legendrank=look.rank(arm),
            legendgroup=arm,
            marker={
                **look.mark(arm, size=[look.SMALL_MARK + 9 * (k[2] / most) ** 0.5 for k in kept]),
                "opacity": [1.0 if k[2] >= FEW_ROWS else 0.35 for k in kept],
            },
            hovertext=[
                f"{look.share(k[0], 0)} → {look.share(k[1], 0)}, {k[2]:,.0f} {literal(rows_word)}" for k in kept
            ],
            hovertemplate=look.hover(literal(names[arm]), "%{hovertext}"),
        )
        joined = [k[:2] if k[2] >= FEW_ROWS else (None, None) for k in kept]
        if any(x is not None for x, _ in joined):
            fig.add_scatter(
                x=[x for x, _ in joined],
                y=[y for _, y in joined],
                mode="lines",
                name=names[arm],
                legendgroup=arm,
                showlegend=False,
                line=look.line(arm, width=look.THIN),
                hoverinfo="skip",
                connectgaps=False,
            )
    fig.update_xaxes(range=[low - 0.02, 1.02], **share_axis(low, 1))
    fig.update_yaxes(range=[low - 0.02, 1.02], **share_axis(low, 1))
    return fig
