"""Choose a pretrained model of the workspace, or fetch another one from a hub where that is allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from kd_core.errors import KDError
from pages.ui.shared import engine, text
from pages.ui.shared.text import escape, t


def model(place: str, value: str, kind: str, usual: str, option: Callable[[Any], str], shown: dict[str, Any]) -> str:
    """Draw the list of models of texts or pictures, and a way to more; without a usual one it is empty until one is chosen."""
    if place not in st.session_state:
        st.session_state[place] = value or None
    if fetched := st.session_state.pop(f"{place}.fetched", None):
        st.session_state[place] = fetched
    options = engine.models(st.session_state[place] or value, kind)
    empty = (
        {} if usual else {"index": None, "placeholder": t("common.choose_model")}
    )  # an index of None lets it be emptied
    held = st.selectbox(options=options, format_func=option, key=place, **empty, **shown)
    _another(place, kind)
    return held or ""


def _another(place: str, kind: str) -> None:
    from kd_core.teachers.pretrained import folders, hub

    files = ", ".join(folders.KINDS[kind].files)
    with st.popover(t("common.hub.title"), icon=":material/add:", key=f"{place}.another"):
        st.caption(t("common.hub.folder", files=files))
        if reason := hub.why_off():
            st.caption(t("common.hub.off", reason=reason))
            return
        known = [f"{n}@{r}" for n, some in hub.allowed().items() for r in sorted(some) or [t("common.hub.any_commit")]]
        st.caption(t("common.hub.allowed", models=", ".join(known)))
        asked = st.text_input(
            t("common.hub.name"), key=f"{place}.hub", help=t("common.hub.name_help", files=files), max_chars=240
        )
        if st.button(t("common.hub.fetch"), key=f"{place}.fetch", icon=":material/download:"):
            _fetch(asked, kind, place)


def _fetch(asked: str, kind: str, place: str) -> None:
    """Fetch a model and choose it; what goes wrong is said here."""
    from kd_core.teachers.pretrained import hub

    said = st.empty()

    def tell(file: str, done: int, whole: int) -> None:
        told = {"file": escape(file), "done": text.size(done), "whole": text.size(whole)}
        said.caption(t("common.hub.fetching_of" if whole else "common.hub.fetching", **told))

    try:
        st.session_state[f"{place}.fetched"] = hub.known_as(asked, kind, _seldom(tell))
    except KDError as error:
        said.empty()
        text.show_error(error)
        return
    st.rerun()


def _seldom(tell: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
    """Pass on one piece in 20 of what is told: a page that is written anew for every one slows the download."""
    heard = 0

    def now_and_then(file: str, done: int, whole: int) -> None:
        nonlocal heard
        heard += 1
        if heard % 20 == 1 or done == whole:
            tell(file, done, whole)

    return now_and_then
