"""A method explained: one paragraph, its formula, its source."""

from __future__ import annotations

import inspect
import re
from typing import Any

import streamlit as st

from kd_core.registry import Entry
from pages.ui.shared.text import Safe, escape, t

ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def explain(entry: Entry[Any]) -> None:
    """Draw what a loss does, one click away."""
    with st.popover(t("distill.terms.how"), icon=":material/school:", type="tertiary"):
        st.markdown(f"**{escape(entry.title)}**")
        st.markdown(about(entry))
        if formula := entry.facts.get("formula"):
            st.latex(formula)
        if entry.source:
            st.caption(t("distill.terms.source", source=source(entry.source)))


def about(entry: Entry[Any]) -> Safe:
    """Say what a loss does: its own paragraph, or what its file says first."""
    said = entry.facts.get("about") or (inspect.getdoc(inspect.getmodule(entry.make)) or entry.title).split("\n")[0]
    return escape(str(said))


def source(text: str) -> Safe:
    """Link what arXiv has."""
    parts = ARXIV.split(text)  # words and numbers of papers by turns
    return Safe("".join(f"[arXiv:{p}](https://arxiv.org/abs/{p})" if i % 2 else escape(p) for i, p in enumerate(parts)))
