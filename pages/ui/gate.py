"""Who may come in. Default deny: open only on this machine, or for people who are signed in."""

from __future__ import annotations

import ipaddress

import streamlit as st

from pages.ui.text import t


def is_loopback(address: str | None) -> bool:
    """Say whether only this machine can reach the address. No address means all interfaces."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address or "0.0.0.0").is_loopback  # noqa: S104
    except ValueError:
        return False


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
    return is_loopback(st.get_option("server.address")) or (has_sign_in() and signed_in())


def show() -> None:
    """Show the only page a viewer without access gets."""
    st.title(t("common.gate.title"))
    st.markdown(t("common.gate.text"))
    if has_sign_in():
        if st.button(t("common.gate.sign_in"), type="primary"):
            st.login()
    else:
        st.warning(t("common.gate.not_set_up"))
