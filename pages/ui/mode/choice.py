"""The choice of a mode on the form: how teacher and student meet, in one paragraph, with its own settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kd_core.registry import Entry, Situation
from kd_core.specs import OFFLINE
from pages.ui.shared import forms
from pages.ui.shared.text import escape, t


def chosen(held: Mapping[str, Any] | None, key: str) -> Entry[Any]:
    """Return the mode that stands on the form now, before it is drawn."""
    from kd_core.distill import MODES

    name = st.session_state.get(f"{key}.mode", (held or {}).get("name", OFFLINE))
    return MODES.get(name if name in MODES.names() else OFFLINE)


def choose(at: Situation, held: Mapping[str, Any] | None, key: str) -> dict[str, Any]:
    """Draw the choice and return it as a part of a draft; nothing for the usual mode, which older drafts do not name."""
    from kd_core.distill import MODES

    given = held or {"name": OFFLINE, "settings": {}}
    possible = [entry.name for entry, why_not in MODES.offer(at) if why_not is None]
    if st.session_state.get(f"{key}.mode", given["name"]) not in possible:  # another teacher was chosen since
        st.session_state[f"{key}.mode"] = OFFLINE
    name = forms.part(MODES, at, given["name"], f"{key}.mode", t("distill.mode"), t("distill.mode_help"))
    entry = MODES.get(name)
    st.caption(escape(entry.facts["about"]))
    mine = given["settings"] if name == given["name"] else {}
    settings = forms.changed(entry.spec, forms.form(entry.spec, mine, f"{key}.mode.{name}"), mine)
    return {} if name == OFFLINE else {"mode": {"name": name, "settings": settings}}
