"""The first thing every address runs: the access gate, then the pages and their shared frame."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.ui.shared import engine, frame, gate
from pages.ui.shared.text import t

PAGES = (
    ("start", ":material/home:"),
    ("data", ":material/table_view:"),
    ("distill", ":material/school:"),
    ("what_if", ":material/grid_on:"),
    ("runs", ":material/monitoring:"),
    ("compare", ":material/scatter_plot:"),
    ("soft_labels", ":material/equalizer:"),
    ("compress", ":material/compress:"),
    ("export", ":material/ios_share:"),
    ("status", ":material/memory:"),
)

st.set_page_config(
    page_title=t("common.product"), page_icon=str(Path(__file__).parent / "ui" / "icon.png"), layout="wide"
)

if not gate.may_enter():
    st.navigation([st.Page(gate.show, title=t("common.gate.title"))], position="hidden").run()
    st.stop()

pages = [
    st.Page(f"{name}.py", title=t(f"common.pages.{name}"), icon=icon, url_path=name.replace("_", "-"), default=i == 0)
    for i, (name, icon) in enumerate(PAGES)
]
chosen = st.navigation(pages, position="hidden")
frame.sidebar(pages)
chosen.run()
engine.page_shown()
