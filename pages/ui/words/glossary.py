"""What the words mean, one click away on every page: a dialog that is drawn when it is asked for."""

from __future__ import annotations

import streamlit as st

from pages.ui.shared.text import catalogue, t, term

PREFIX = (
    "words.of."  # the keys of the catalogue that name a term; what it means stands in the glossary under the same name
)


def offer() -> None:
    """Draw the button."""
    if st.button(t("words.open"), key="words", icon=":material/menu_book:", type="tertiary"):
        st.dialog(str(t("words.title")), width="large")(show)()


def show() -> None:
    """List the terms in the order in which a newcomer meets them."""
    for name in terms():
        st.markdown(f"**{t(PREFIX + name)}** · {term(name)}")


def terms() -> list[str]:
    """Name the terms, in the order of the catalogue."""
    return [key.removeprefix(PREFIX) for key in catalogue() if key.startswith(PREFIX)]
