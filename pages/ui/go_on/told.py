"""What going on from an earlier run gave, above the verdict: learned, forgotten, and what the teacher had to do with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kd_core.runs.view import continue_words
from pages.ui.shared.text import Safe, escape, exact, percent, t


def show(found: Mapping[str, Any]) -> None:
    """Draw it; nothing of a run that began anew."""
    told = found.get("continued")
    if not told:
        return
    with st.container(border=True, key="continued"):
        st.markdown(f"**{t('runs.go_on.title')}**", help=t("runs.go_on.title_help"))
        rows = {name: exact(told["rows"][name]) for name in ("learned", "bare", "old", "old_of")}
        about = {"run": told["run"], "name": told["name"], "asked": percent(told["old_share"]), **rows}
        st.markdown(t(f"runs.go_on.from_{'bare' if told['rows']['bare'] else 'labelled'}", **about))
        for one in told["students"]:
            for line in sentences(one):
                st.markdown(line)


def sentences(one: Mapping[str, Any]) -> list[Safe]:
    """Say what a student learned and forgot, and how it stands beside the one that went on without the teacher."""
    new, old = one["new"], one["old"]
    about = {"name": one["name"], "change": typeset(continue_words.change(new)), "rows": exact(new["rows"])}
    said = [
        t(f"runs.go_on.new_{new['word']}", **about),
        t(f"runs.go_on.old_{old['word']}", change=typeset(continue_words.change(old)), rows=exact(old["rows"])),
    ]
    if new["against"] != "labels":
        said.insert(1, t("runs.go_on.agreement"))
    if beside := continue_words.besides(new):
        said.append(t("runs.go_on.beside", change=typeset(beside)))
    return said


def typeset(words: str) -> Safe:
    """Write a terminal's signs as a page does."""
    return escape(words.replace("+-", "±").replace(" -> ", " → ").replace(" -", " −"))
