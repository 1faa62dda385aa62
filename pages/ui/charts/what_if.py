"""Charts of a what-if: the map of cells, one setting alone, student sizes, and all settings at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import (
    AXIS_TEXT,
    COLOUR,
    DASH,
    FAINT,
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
# The same scale in steps, for lines: grey in the middle is seen on a light and on a dark page.
STEPS = ("#5E3C99", "#8268AE", "#9187A8", "#969696", "#B98F70", "#C87A42", "#D55E00")
WRITTEN_CELLS = 150  # above, a cell is too small for its number

Cell = Mapping[str, Any]  # id, row, column, gain (or None), text, hover, best, like, picked, faded


def heat(
    cells: Sequence[Cell],
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
    fig = figure(height or max(240, 96 + 56 * len(rows)), x=x_title, y=y_title, legend=False)
    for faded in (False, True):
        shade: list[list[float | None]] = [[None] * len(columns) for _ in rows]
        for c in cells:
            if bool(c.get("faded")) == faded:
                shade[c["row"]][c["column"]] = c["gain"]
        bar = {
            "thickness": 9,
            "outlinewidth": 0,
            "len": 0.9,
            "tickfont": {"color": AXIS_TEXT[dark]},
            "xpad": 6,
            **_gain_ticks(scale, margin),
            "title": {"text": gain_title, "side": "right", "font": {"size": 11, "color": AXIS_TEXT[dark]}},
        }
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
    for c in cells:
        edges = {"x0": c["column"] - 0.5, "x1": c["column"] + 0.5, "y0": c["row"] - 0.5, "y1": c["row"] + 0.5}
        gap = {"x": min(0.05, 0.005 * len(columns)), "y": 0.035}  # about 3 pixels, however wide the cells are
        inside = {k: v + (gap[k[0]] if k.endswith("0") else -gap[k[0]]) for k, v in edges.items()}
        if c["gain"] is None:
            fig.add_shape(type="rect", layer="below", fillcolor="rgba(127,127,127,0.28)", line={"width": 0}, **inside)
        if c.get("like") or c.get("best"):
            fig.add_shape(type="rect", line={"color": ink, "width": 3 if c.get("best") else 1.6}, **inside)
        if c.get("picked"):
            fig.add_shape(type="rect", line={"color": COLOUR["compressed"], "width": 4}, **edges)
    inks = {c["id"]: _ink(c, scale, dark) for c in cells}
    for colour in sorted(set(inks.values())):
        group = [c for c in cells if inks[c["id"]] == colour]
        fig.add_scatter(
            x=[c["column"] for c in group],
            y=[c["row"] for c in group],
            mode="markers+text" if len(cells) <= WRITTEN_CELLS else "markers",
            text=[literal(c["text"]) if c.get("faded") else f"<b>{literal(c['text'])}</b>" for c in group],
            textfont={"size": 12, "color": colour},
            marker={"symbol": "square", "size": 26, "color": "rgba(0,0,0,0)", "line": {"width": 0}},
            selected={"textfont": {"color": colour}},
            unselected={"textfont": {"color": colour}, "marker": {"opacity": 1}},
            customdata=[[c["id"]] for c in group],
            hovertext=[c["hover"] for c in group],
            hovertemplate="%{hovertext}<extra></extra>",
            showlegend=False,
        )
    fig.update_layout(hovermode="closest", hoverdistance=80, dragmode=False)
    fig.update_xaxes(
        tickvals=list(range(len(columns))),
        ticktext=list(columns),
        range=[-0.5, len(columns) - 0.5],
        showgrid=False,
        fixedrange=True,
    )
    fig.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=list(rows),
        range=[-0.5, len(rows) - 0.5],
        showgrid=False,
        fixedrange=True,
    )
    return fig


def gain_colour(share: float, *, dark: bool, faded: bool = False) -> str:
    """The colour of a gain: -1 (loses most) purple, 0 almost the page, 1 orange. `faded` takes most of it away."""
    paper = PAPER[dark]
    nothing = mixed("#7F7F7F", paper, 0.14)
    colour = mixed(COLOUR["student"] if share > 0 else LOSS, nothing, abs(share))
    return mixed(colour, nothing, 0.3) if faded else colour


def _ink(cell: Cell, scale: float, dark: bool) -> str:
    if cell["gain"] is None:
        return "#FFFFFF" if dark else "#000000"
    share = max(-1.0, min(1.0, cell["gain"] / scale))
    return readable_on(gain_colour(share, dark=dark, faded=bool(cell.get("faded"))))


def _gain_ticks(scale: float, margin: float) -> dict[str, Any]:
    """Ticks of the colour bar: the ends, 0, and the margin where it can be told from both."""
    marks = [-scale, 0.0, scale] + ([-margin, margin] if 0.12 < margin / scale < 0.88 else [])
    return {"tickvals": sorted(marks), "ticktext": [f"{v:+.2g}" if v else "0" for v in sorted(marks)]}


def alone(
    points: Sequence[Mapping[str, Any]],
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

    Points: id, column, gain, low, high, hover, best, like, picked. Missing gains leave a gap.
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
    known = [p for p in points if p["gain"] is not None]
    rings = [p for p in known if p.get("picked")]
    if rings:
        fig.add_scatter(
            x=[p["column"] for p in rings],
            y=[p["gain"] for p in rings],
            mode="markers",
            showlegend=False,
            hoverinfo="skip",
            marker={"size": 26, "symbol": "circle-open", "color": COLOUR["compressed"], "line": {"width": 3}},
        )
    fig.add_scatter(
        x=[p["column"] for p in known],
        y=[p["gain"] for p in known],
        mode="lines+markers",
        name=name,
        line={"color": COLOUR["student"], "width": 1.8},
        marker={
            "color": COLOUR["student"],
            "symbol": ["star" if p.get("best") else SYMBOL["student"] for p in known],
            "size": [15 if p.get("best") else 11 for p in known],
            "line": {
                "width": [2.0 if p.get("like") else 0.0 for p in known],
                "color": "#FFFFFF" if dark else "#1B2733",
            },
        },
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [max((p["high"] or p["gain"]) - p["gain"], 0) if p["high"] is not None else 0 for p in known],
            "arrayminus": [max(p["gain"] - (p["low"] or 0.0), 0) if p["low"] is not None else 0 for p in known],
            "thickness": 1.4,
            "width": 4,
            "color": faint(COLOUR["student"], 0.7),
        },
        customdata=[[p["id"]] for p in known],
        hovertext=[p["hover"] for p in known],
        hovertemplate="%{hovertext}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
    )
    fig.update_layout(hovermode="closest", hoverdistance=60, dragmode=False)
    fig.update_xaxes(
        tickvals=list(range(len(ticks))), ticktext=list(ticks), range=[-0.5, len(ticks) - 0.5], fixedrange=True
    )
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


def parallel(
    dimensions: Sequence[Mapping[str, Any]],
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
    Dimensions: label, values, and either `ticks` (positions) with `names`, or `range` (first is below).
    """
    fig = figure(height, legend=False)
    places = [_place(d) for d in dimensions]
    for x, d in enumerate(dimensions):
        fig.add_shape(type="line", x0=x, x1=x, y0=0, y1=1, line={"color": FAINT, "width": 1.2}, layer="below")
        label = {"text": f"<b>{literal(d['label'])}</b>", "x": x, "y": 1, "yshift": 18}
        fig.add_annotation(**label, showarrow=False, font={"size": 12})
        last = x == len(dimensions) - 1  # right of the last axis there are no lines
        aside = {"xanchor": "left", "xshift": 8} if last else {"xanchor": "right", "xshift": -8}
        for y, name in _marks(d):
            fig.add_annotation(
                x=x,
                y=y,
                text=name,
                showarrow=False,
                font={"size": 11, "color": AXIS_TEXT[dark]},
                bgcolor=PAPER[dark],
                borderpad=1,
                **aside,
            )
    groups: dict[int, list[int]] = {}
    for i, gain in enumerate(gains):
        share = max(-1.0, min(1.0, gain / scale)) if scale else 0.0
        groups.setdefault(round((share + 1) / 2 * (len(STEPS) - 1)), []).append(i)
    for step, members in sorted(groups.items(), key=lambda one: abs(one[0] - len(STEPS) // 2)):
        gap: list[Any] = [None]
        fig.add_scatter(
            x=[x for _ in members for x in [*range(len(places)), *gap]],
            y=[y for i in members for y in [*(p[i] for p in places), *gap]],
            mode="lines+markers",
            showlegend=False,
            opacity=0.8,
            line={"color": STEPS[step], "width": 1.6},
            marker={"color": STEPS[step], "size": 5},
            hovertext=[hovers[i] for i in members for _ in range(len(places) + 1)],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    bar = {
        "thickness": 9,
        "outlinewidth": 0,
        "len": 0.9,
        "tickfont": {"color": AXIS_TEXT[dark]},
        "title": {"text": gain_title, "side": "right", "font": {"size": 11, "color": AXIS_TEXT[dark]}},
    }
    colours = [[i / (len(STEPS) - 1), c] for i, c in enumerate(STEPS)]
    fig.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        showlegend=False,
        hoverinfo="skip",
        marker={"color": [0], "colorscale": colours, "cmin": -scale, "cmax": scale, "showscale": True, "colorbar": bar},
    )
    fig.update_layout(margin={"t": 44}, hovermode="closest", dragmode=False)
    fig.update_xaxes(visible=False, range=[-0.35, len(places) - 0.65], fixedrange=True)
    fig.update_yaxes(visible=False, range=[-0.04, 1.1], fixedrange=True)
    return fig


def _span(dimension: Mapping[str, Any]) -> tuple[float, float]:
    if dimension.get("ticks") is not None:
        return min(dimension["ticks"]), max(dimension["ticks"])
    low, high = dimension["range"]
    return low, high


def _place(dimension: Mapping[str, Any]) -> list[float]:
    """Positions of a dimension's values between 0 (below) and 1."""
    low, high = _span(dimension)
    return [0.5 if high == low else (v - low) / (high - low) for v in dimension["values"]]


def _marks(dimension: Mapping[str, Any]) -> list[tuple[float, str]]:
    """Where numbers or names stand along an axis."""
    low, high = _span(dimension)
    if dimension.get("ticks") is not None:
        places = _place({**dimension, "values": dimension["ticks"]})
        return [(y, literal(n)) for y, n in zip(places, dimension["names"], strict=True)]
    return [(i / 4, f"{low + (high - low) * i / 4:.4g}") for i in range(5)]
