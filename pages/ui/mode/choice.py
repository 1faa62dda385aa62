"""The choice of a mode on the form: how teacher and student meet, in one paragraph, with its own settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kd_core.registry import Entry, Situation
from kd_core.specs import OFFLINE, Choice, RunSpec
from pages.ui.access import aids
from pages.ui.mode import possible
from pages.ui.models import unable
from pages.ui.shared import forms
from pages.ui.shared.facts import Facts
from pages.ui.shared.text import escape, t


def chosen(held: Mapping[str, Any] | None, key: str) -> Entry[Any]:
    """Return the mode that stands on the form now, before it is drawn."""
    from kd_core.distill import MODES

    name = st.session_state.get(f"{key}.mode", (held or {}).get("name", OFFLINE))
    return MODES.get(name if name in MODES.names() else OFFLINE)


def standing(held: Mapping[str, Any] | None, key: str) -> Choice:
    """Return the mode that stands on the form now with the settings it was held with."""
    name = chosen(held, key).name
    return Choice(name=name, settings=held["settings"] if held and held["name"] == name else {})


def choose(
    at: Situation, held: Mapping[str, Any] | None, key: str, run: RunSpec | None, facts: Facts
) -> dict[str, Any]:
    """Draw the choice and return it as a part of a draft; nothing for the usual mode, which older drafts do not name.

    `run`: what the form describes without its mode, by which some modes are ruled out; None where it describes none yet.
    """
    from kd_core.distill import MODES

    given = held or {"name": OFFLINE, "settings": {}}
    offered = possible.offer(at, run, facts, Choice.model_validate(dict(given)))
    titles = {entry.name: entry.title for entry, why_not in offered if why_not is None}
    place, told = forms.seed(f"{key}.mode", given["name"]), f"{key}.mode.gone"
    if (now := st.session_state[place]) not in titles:  # something else was chosen since: the lesson is drawn anew
        st.session_state[place] = OFFLINE
        st.session_state[told] = now
        st.rerun()
    name = st.selectbox(
        t("distill.mode"), list(titles), format_func=titles.__getitem__, key=place, help=t("distill.mode_help")
    )
    if (gone := st.session_state.pop(told, None)) in MODES.names():
        names = {"mode": MODES.get(str(gone)).title, "usual": titles[OFFLINE]}
        st.caption(f":material/info: {t('distill.mode_gone', **names)}")
    unable.show(offered, at)
    entry = MODES.get(name)
    with aids.folded(t("distill.mode_fold"), f"{key}-mode-about"):
        st.caption(escape(entry.facts["about"]))
    mine = given["settings"] if name == given["name"] else {}
    settings = forms.changed(entry.spec, forms.form(entry.spec, mine, f"{key}.mode.{name}"), mine)
    return {} if name == OFFLINE else {"mode": {"name": name, "settings": settings}}
