"""What Streamlit's own markup lacks for keyboards, screen readers and phones, mended in the browser for every page.

`browser/aids.js` gives headings levels without gaps, lets regions that scroll be reached by key and keeps the focus
over a rerun; `browser/aids.css` holds the visible focus, still pages, large targets and cards.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui.shared.text import t

KEY = "aids"
PHONE = 280  # pixels of a plot on a phone
BROWSER = Path(__file__).parent.parent / "browser"
_place = st.components.v2.component("kd_aids", js=(BROWSER / "aids.js").read_text("utf-8"))


def show() -> None:
    """Put the aids on the page; the frame does so once."""
    st.html(BROWSER / "aids.css")
    known = {"code": str(t("common.code")), "narrow": is_narrow()}
    _place(key=KEY, data=known, default={"narrow": False}, on_narrow_change=lambda: None)


def plot_width(usual: int) -> int:
    """Return how wide a chart's plot is, in pixels: on a phone less than usual."""
    return min(usual, PHONE) if is_narrow() else usual


def folded(title: str, key: str, *, expanded: bool = False) -> Any:
    """Return the place for controls: in sight, on a phone one fold away so that it begins with the answer."""
    if not is_narrow():
        return st.container(key=key)
    return st.expander(title, icon=":material/tune:", key=key, expanded=expanded)


def is_narrow() -> bool:
    """Say whether the screen is as narrow as a phone's; known from the second drawing of a session on."""
    return bool((st.session_state.get(KEY) or {}).get("narrow"))
