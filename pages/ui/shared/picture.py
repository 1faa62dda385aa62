"""A chart on a page, with its words for who can't see it and a button that saves it as a picture.

Every chart goes through `show`: Plotly's own toolbar is off, because it lies on legends and cells and, on a touch
screen, never leaves. See `browser/picture.js` for how a picture is made without it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui.charts.drawing import Drawing
from pages.ui.charts.marks import AXIS_TEXT, CONFIG
from pages.ui.shared.text import plain, t

KINDS = ("svg", "png")
BROWSER = Path(__file__).parent.parent / "browser"


def style(*names: str) -> str:
    """Join styles to that of one component; those that components share come before its own."""
    return "\n".join((BROWSER / f"{name}.css").read_text("utf-8") for name in names)


_buttons = st.components.v2.component(
    "kd_picture",
    html="<div class='row'>\n"
    + "".join(f"<button type='button' data-kind='{k}'>{k.upper()}</button>" for k in KINDS)
    + "</div>",
    css=style("picture"),
    js="\n".join((BROWSER / f"{name}.js").read_text("utf-8") for name in ("saving", "picture")),
)


def show(figure: Any, key: str, alt: str, *, pick: bool = False, title: str = "", about: str = "") -> Any:
    """Draw a chart; `alt` says what it shows. With `pick` a clicked point comes back as the selection event.

    `title`, `about`: what a saved picture says above the chart and of which data it is; the date stands beside it.

    Example: `picture.show(charts.bars(...), "soft-bars", note)`.
    """
    chosen: dict[str, Any] = {"on_select": "rerun", "selection_mode": ["points"]} if pick else {}
    dark = st.context.theme.type == "dark"
    ink = AXIS_TEXT[dark]  # Streamlit's own grey is too pale to read
    if isinstance(figure, Drawing):
        figure.on_page(dark)
    figure.update_layout(font_color=ink)
    figure.update_xaxes(tickfont_color=ink, title_font_color=ink)
    figure.update_yaxes(tickfont_color=ink, title_font_color=ink)
    with st.container(gap=None):
        event = st.plotly_chart(figure, key=key, config=CONFIG, alt=plain(alt), **chosen)
        name = re.sub(r"[^A-Za-z0-9]+", "-", key).strip("-")
        labels = {kind: str(t("common.picture", kind=kind.upper())) for kind in KINDS}
        _buttons(key=f"{key}-picture", data={"name": name, "labels": labels, "title": title, "about": about})
    return event
