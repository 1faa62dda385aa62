"""Charts of a what-if: the map of cells, one setting alone, and student sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import (
    AXIS_TEXT,
    COLOUR,
    DASH,
    PAPER,
    SYMBOL,
    faint,
    figure,
    literal,
    log_axis,
    mixed,
    padded,
    readable_on,
)

# Grey like the baseline where nothing is gained, the student's colour where it gains, purple where it loses:
# a pair that stays apart for every kind of colour blindness (ColorBrewer PuOr).
LOSS = "#5E3C99"
WRITTEN_CELLS = 150  # above, a cell is too small for its number


def heat(
    cells: pd.DataFrame,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    x_title: str,
    y_title: str,
    gain_title: str,
    scale: float,
    margin: float = 0.0,
    dark: bool = False,
    height: int | None = None,
) -> Drawing:
    """Draw the gain of every cell; the best framed, what is missing grey, what may be nothing (`faded`) pale.

    A heat map can't be picked, so transparent squares on top carry the cell's number. `gain` and `margin` are in
    what is written; the colour bar marks the margin.
    """
    cells = cells.astype(object).where(cells.notna(), None)
    fig = figure(height or max(240, 96 + 56 * len(rows)), x=x_title, y=y_title, legend=False)
    for faded in (False, True):
        shade: list[list[float | None]] = [[None] * len(columns) for _ in rows]
        for c in cells[cells["faded"] == faded].itertuples():
            shade[c.row][c.column] = c.gain
        bar = {"xpad": 6, **_gain_ticks(scale, margin), **gain_bar(gain_title, dark)}
        fig.add_heatmap(
            z=shade,
            colorscale=[[place, gain_colour(2 * place - 1, dark=dark, faded=faded)] for place in (0.0, 0.5, 1.0)],
            zmin=-scale,
            zmax=scale,
            xgap=3,
            ygap=3,
            hoverinfo="skip",
            showscale=not faded,
            **({} if faded else {"colorbar": bar}),
        )
    ink = "#FFFFFF" if dark else "#1B2733"
    for c in cells.itertuples():
        edges = {"x0": c.column - 0.5, "x1": c.column + 0.5, "y0": c.row - 0.5, "y1": c.row + 0.5}
        gap = {"x": min(0.05, 0.005 * len(columns)), "y": 0.035}  # about 3 pixels, however wide the cells are
        inside = {k: v + (gap[k[0]] if k.endswith("0") else -gap[k[0]]) for k, v in edges.items()}
        if c.gain is None:
            fig.add_shape(type="rect", layer="below", fillcolor="rgba(127,127,127,0.28)", line={"width": 0}, **inside)
        if c.like or c.best:
            fig.add_shape(type="rect", line={"color": ink, "width": 3 if c.best else 1.6}, **inside)
        if c.picked:
            fig.add_shape(type="rect", line={"color": COLOUR["compressed"], "width": 4}, **edges)
    inks = pd.Series([_ink(c.gain, c.faded, scale, dark) for c in cells.itertuples()], cells.index)
    for colour, group in cells.groupby(inks):
        fig.add_scatter(
            x=group["column"].tolist(),
            y=group["row"].tolist(),
            mode="markers+text" if len(cells) <= WRITTEN_CELLS else "markers",
            text=[literal(c.text) if c.faded else f"<b>{literal(c.text)}</b>" for c in group.itertuples()],
            textfont={"size": 12, "color": colour},
            marker={"symbol": "square", "size": 26, "color": "rgba(0,0,0,0)", "line": {"width": 0}},
            selected={"textfont": {"color": colour}},
            unselected={"textfont": {"color": colour}, "marker": {"opacity": 1}},
            customdata=group[["id"]].to_numpy().tolist(),
            hovertext=group["hover"].tolist(),
            hovertemplate="%{hovertext}<extra></extra>",
            showlegend=False,
        )
    fig.update_layout(hovermode="closest", hoverdistance=80, dragmode=False)
    fig.update_xaxes(**_ticks(columns), showgrid=False)
    fig.update_yaxes(**_ticks(rows), showgrid=False)
    return fig


def _ticks(names: Sequence[str]) -> dict[str, Any]:
    """An axis with a name at each of its places, which can't be dragged."""
    places = {"tickvals": list(range(len(names))), "ticktext": list(names)}
    return {**places, "range": [-0.5, len(names) - 0.5], "fixedrange": True}


def gain_colour(share: float, *, dark: bool, faded: bool = False) -> str:
    """The colour of a gain: -1 (loses most) purple, 0 almost the page, 1 orange. `faded` takes most of it away."""
    paper = PAPER[dark]
    nothing = mixed("#7F7F7F", paper, 0.14)
    colour = mixed(COLOUR["student"] if share > 0 else LOSS, nothing, abs(share))
    return mixed(colour, nothing, 0.3) if faded else colour


def gain_bar(title: str, dark: bool) -> dict[str, Any]:
    """The bar that tells what the colours of gains mean."""
    font = {"color": AXIS_TEXT[dark]}
    place = {"thickness": 9, "outlinewidth": 0, "len": 0.9}
    return {**place, "tickfont": font, "title": {"text": title, "side": "right", "font": {"size": 11, **font}}}


def _ink(gain: float | None, faded: bool, scale: float, dark: bool) -> str:
    if gain is None:
        return "#FFFFFF" if dark else "#000000"
    return readable_on(gain_colour(max(-1.0, min(1.0, gain / scale)), dark=dark, faded=faded))


def _gain_ticks(scale: float, margin: float) -> dict[str, Any]:
    """Ticks of the colour bar: the ends, 0, and the margin where it can be told from both."""
    marks = [-scale, 0.0, scale] + ([-margin, margin] if 0.12 < margin / scale < 0.88 else [])
    return {"tickvals": sorted(marks), "ticktext": [f"{v:+.2g}" if v else "0" for v in sorted(marks)]}


def alone(
    points: pd.DataFrame,
    *,
    x_title: str,
    y_title: str,
    name: str,
    zero_name: str,
    ticks: Sequence[str],
    dark: bool = False,
    height: int = 330,
) -> Drawing:
    """Draw the gain along the only setting that varies, with intervals; points can be picked.

    Missing gains leave a gap.
    """
    fig = figure(height, x=x_title, y=y_title)
    fig.add_scatter(
        x=[-0.4, len(ticks) - 0.6],
        y=[0, 0],
        mode="lines",
        name=zero_name,
        hoverinfo="skip",
        line={"color": COLOUR["baseline"], "dash": DASH["baseline"], "width": 2},
    )
    known = points[points["gain"].notna()].astype({"gain": float, "low": float, "high": float})
    rings = known[known["picked"]]
    if len(rings):
        fig.add_scatter(
            x=rings["column"].tolist(),
            y=rings["gain"].tolist(),
            mode="markers",
            showlegend=False,
            hoverinfo="skip",
            marker={"size": 26, "symbol": "circle-open", "color": COLOUR["compressed"], "line": {"width": 3}},
        )
    fig.add_scatter(
        x=known["column"].tolist(),
        y=known["gain"].tolist(),
        mode="lines+markers",
        name=name,
        line={"color": COLOUR["student"], "width": 1.8},
        marker={
            "color": COLOUR["student"],
            "symbol": ["star" if best else SYMBOL["student"] for best in known["best"]],
            "size": [15 if best else 11 for best in known["best"]],
            "line": {
                "width": [2.0 if like else 0.0 for like in known["like"]],
                "color": "#FFFFFF" if dark else "#1B2733",
            },
        },
        error_y={
            "type": "data",
            "symmetric": False,
            "array": (known["high"] - known["gain"]).clip(lower=0).fillna(0).tolist(),
            "arrayminus": (known["gain"] - known["low"]).clip(lower=0).fillna(0).tolist(),
            "thickness": 1.4,
            "width": 4,
            "color": faint(COLOUR["student"], 0.7),
        },
        customdata=known[["id"]].to_numpy().tolist(),
        hovertext=known["hover"].tolist(),
        hovertemplate="%{hovertext}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
    )
    fig.update_layout(hovermode="closest", hoverdistance=60, dragmode=False)
    fig.update_xaxes(**_ticks(ticks))
    fig.update_yaxes(fixedrange=True)
    return fig


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
            line={"color": COLOUR["teacher"], "dash": DASH["teacher"], "width": 2},
            hovertemplate=f"{literal(names['teacher'])}: %{{y:.4f}}<extra></extra>",
        )
    for arm, points in arms.items():
        banded = [p for p in points if p["low"] is not None]
        if len(banded) > 1:
            fig.add_scatter(
                x=[p["x"] for p in banded] + [p["x"] for p in reversed(banded)],
                y=[p["low"] for p in banded] + [p["high"] for p in reversed(banded)],
                mode="lines",
                fill="toself",
                fillcolor=faint(COLOUR[arm], 0.15),
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
            line={"color": COLOUR[arm], "dash": DASH[arm], "width": 2},
            marker={"color": COLOUR[arm], "symbol": SYMBOL[arm], "size": 11},
            error_y={
                "type": "data",
                "symmetric": False,
                "visible": alone,
                "thickness": 1.4,
                "width": 5,
                "array": [p["high"] - p["y"] for p in points] if alone else [],
                "arrayminus": [p["y"] - p["low"] for p in points] if alone else [],
            },
            hovertext=[p["hover"] for p in points],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    fig.update_xaxes(**axis)
    ends = [v for p in every for v in (p["y"], p["low"], p["high"]) if v is not None]
    span = padded([*ends, *([teacher] if teacher is not None else [])], 0.12)
    if span:
        fig.update_yaxes(range=span[::-1] if lower_is_better else span)
    return fig
