"""The report of a run as a file to hand on."""

from __future__ import annotations

import streamlit as st

from kd_core.runs.store.folder import RunFolder
from pages.ui.shared.text import t


def offer(folder: RunFolder) -> None:
    """Draw the button; the report is written when it is pressed."""

    def written() -> str:
        from kd_core.reports.page import page

        return page(folder)

    st.download_button(
        t("runs.head.report"),
        written,
        f"{folder.id}.report.html",
        "text/html",
        key="run-report",
        on_click="ignore",
        icon=":material/download:",
        help=t("runs.head.report_help"),
    )
