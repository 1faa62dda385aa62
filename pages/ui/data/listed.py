"""A list on the page Data: a change is kept, and the page understood anew."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.data import sources, target_question
from pages.ui.shared import forms


def choice(name: str, label: str, options: list[Any], choices: dict[str, Any], help_: str, **more: Any) -> None:
    """Draw a list whose first entry means: decide for me; a change is kept and the page understood anew."""
    held = choices.get(name)
    key = forms.seed(f"{sources.KEY}.{name}", held if held in options else options[0])
    if st.session_state[key] not in options:
        st.session_state[key] = options[0]
    shown = more.get("format_func", str)
    value = st.selectbox(label, options, key=key, help=help_, placeholder=shown(None), **more)
    if value != held:
        choices[name] = value
        if name == "target":
            target_question.forget(choices)
        if name == "task":
            choices["positive"] = None
            forms.forget(f"{sources.KEY}.positive")
        st.rerun()
