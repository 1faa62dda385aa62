"""What going on from an earlier run gave, above the verdict: learned, forgotten, and what the teacher had to do with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kd_core.runs.view import continue_words
from pages.ui.shared.text import escape, t


def show(found: Mapping[str, Any]) -> None:
    """Draw it; nothing of a run that began anew."""
    said = continue_words.lines(found)
    if not said:
        return
    with st.container(border=True, key="continued"):
        st.markdown(f"**{t('runs.go_on.title')}**", help=t("runs.go_on.title_help"))
        for line in said:
            st.markdown(escape(line.strip()))
