"""Who may come in. Default deny: open only on this machine, or for people who are signed in."""

from __future__ import annotations

import streamlit as st

from pages.ui.shared import doorkeeper
from pages.ui.shared.text import t


def visitor() -> doorkeeper.Visitor:
    """Tell who the viewer is, as the doorkeeper saw the connection; without a doorkeeper it is anybody."""
    return doorkeeper.stamped(st.context.headers.items())


def signed_in() -> bool:
    """Say whether the viewer is signed in through a configured provider."""
    return bool(getattr(st.user, "is_logged_in", False))


def has_sign_in() -> bool:
    """Say whether sign-in is set up (an [auth] section in the secrets)."""
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False


def may_enter() -> bool:
    """Decide whether this viewer may see the product."""
    return visitor() in ("local", "named") or (has_sign_in() and signed_in())


def show() -> None:
    """Show the only page a viewer without access gets."""
    st.title(t("common.gate.title"), anchor=False)
    st.markdown(t("common.gate.text"))
    if has_sign_in():
        if st.button(t("common.gate.sign_in"), type="primary"):
            st.login()
    else:
        st.warning(t("common.gate.not_set_up"))
