"""Training curves, on a page that is drawn again every few seconds and after: the same figures as elsewhere, drawn without Plotly.

Plotly builds a chart anew for every change: about half a second of a browser's processor time for two charts, taken from the
training where both run on one machine, and on a busy one longer than the time until the next change. One SVG takes some milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.ui import look
from pages.ui.charts.drawing import Drawing
from pages.ui.shared.picture import BROWSER, KINDS, style
from pages.ui.shared.text import Safe, plain, t

_MARKS = {"circle", "square", "diamond", "triangle-up", "pentagon", "star", "x"}  # that drawing.js knows
_PARTS = ("soft_labels/parts", "saving", "live_chart/scales", "live_chart/drawing", "live_chart/main")
_chart = st.components.v2.component(
    "kd_live_chart",
    html="<div class='place'>\n</div>",
    css=style("component", "picture", "live_chart/live_chart"),
    js="\n".join((BROWSER / f"{name}.js").read_text("utf-8") for name in _PARTS),
)


def show(figure: Drawing, key: str, alt: str) -> None:
    """Draw a figure of curves; `alt` says what it shows. The same call as `picture.show`, for lines, marks and levels."""
    dark = st.context.theme.type == "dark"
    name = re.sub(r"[^A-Za-z0-9]+", "-", key).strip("-")
    labels = {kind: str(t("common.picture", kind=kind.upper())) for kind in KINDS}
    inks = {"ink": look.AXIS_TEXT[dark], "paper": look.PAPER[dark], "grid": look.GRID}
    _chart(key=key, data={**content(figure), **inks, "alt": plain(alt), "name": name, "labels": labels})


def content(figure: Drawing) -> dict[str, Any]:
    """Say what is drawn, in words and numbers that are ready: axes, levels, curves with their marks.

    Errors: ValueError for what the browser could not draw, so that nothing of a figure is left out in silence.
    """
    plain_figure = figure.to_dict()
    layout = plain_figure["layout"]
    others = {trace["type"] for trace in plain_figure["data"]} - {"scatter"}
    if others or {"xaxis2", "yaxis2"} & set(layout):
        raise ValueError(f"a live chart is of lines and marks on one pair of axes, not of {sorted(others)}")
    if unknown := {(trace.get("marker") or {}).get("symbol", "circle") for trace in plain_figure["data"]} - _MARKS:
        raise ValueError(f"a live chart has no mark {sorted(unknown)}")
    notes = {note["y"]: _words(note["text"]) for note in layout.get("annotations", ())}
    levels = [
        {
            "at": shape["y0"],
            "name": notes.get(shape["y0"], ""),
            "colour": shape["line"]["color"],
            "width": shape["line"]["width"],
            "dash": shape["line"]["dash"],
        }
        for shape in layout.get("shapes", ())
    ]
    x, y = (_axis(layout[name]) for name in ("xaxis", "yaxis"))
    curves = [_curve(trace, bool(layout.get("showlegend"))) for trace in plain_figure["data"]]
    return {"height": layout["height"], "x": x, "y": y, "levels": levels, "curves": curves}


def _axis(axis: Mapping[str, Any]) -> dict[str, Any]:
    log = axis.get("type") == "log"
    return {
        "title": _words(axis["title"]["text"]),
        "ends": axis.get("range"),
        "log": log,
        "step": None if log else axis.get("dtick"),
    }


def _curve(trace: Mapping[str, Any], legend: bool) -> dict[str, Any]:
    line, mark = trace.get("line") or {}, trace.get("marker") or {}
    parts = str(trace["mode"]).split("+")
    values: Sequence[Any] = trace.get("customdata") or ()
    return {
        "name": _words(trace.get("name") or ""),
        "legend": legend and trace.get("showlegend", True),
        "rank": trace.get("legendrank", 1000),
        "x": list(trace["x"]),
        "y": list(trace["y"]),
        "of": list(values),
        "lines": "lines" in parts,
        "marks": "markers" in parts,
        "colour": line.get("color") or mark.get("color"),
        "dash": line.get("dash", "solid"),
        "width": line.get("width", look.LINE),
        "symbol": mark.get("symbol", "circle"),
        "size": mark.get("size", look.SMALL_MARK),
        "edge": (mark.get("line") or {}).get("width", 0),
        "halo": (mark.get("line") or {}).get("color", look.HALO),
        "opacity": trace.get("opacity", 1.0),
        "told": [_words(one) for one in look.told(trace.get("hovertemplate", ""))],
    }


def _words(said: str) -> str:
    """Undo what makes text literal for Plotly: here it goes in as text."""
    return plain(Safe(said))
