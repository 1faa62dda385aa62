"""What the words mean, one click away on every page: a dialog that is drawn when it is asked for."""

from __future__ import annotations

import streamlit as st

from pages.ui.shared.text import catalogue, plain, t, term

PREFIX = (
    "words.of."  # the keys of the catalogue that name a term; what it means stands in the glossary under the same name
)
GROUP = "words.group."  # headings, each under the name of the first term that stands below it


def offer() -> None:
    """Draw the button."""
    if st.button(t("words.open"), key="words", icon=":material/menu_book:", type="tertiary"):
        st.dialog(str(t("words.title")), width="large")(show)()


def show() -> None:
    """List the terms in the order in which a newcomer meets them, or those that hold what is looked for."""
    asked = st.text_input(
        t("words.find"), key="words-find", icon=":material/search:", help=t("words.find_help"), autocomplete="off"
    )
    found = matching(asked or "")
    with st.container(key="words-list"):
        for name in found:
            if found == terms() and f"{GROUP}{name}" in catalogue():
                st.markdown(f"##### {t(GROUP + name)}")
            st.markdown(f"**{t(PREFIX + name)}** · {term(name)}")
    if not found:
        st.info(t("words.none", asked=asked), icon=":material/search_off:")


def matching(asked: str) -> list[str]:
    """Name the terms whose name or meaning holds every word of what is looked for; those with it in their name first."""
    words = asked.casefold().split()
    titles = {name: plain(t(PREFIX + name)).casefold() for name in terms()}
    whole = {name: f"{title} {plain(term(name)).casefold()}" for name, title in titles.items()}
    found = [name for name in titles if all(word in whole[name] for word in words)]
    return sorted(found, key=lambda name: not all(word in titles[name] for word in words))


def terms() -> list[str]:
    """Name the terms, in the order of the catalogue."""
    return [key.removeprefix(PREFIX) for key in catalogue() if key.startswith(PREFIX)]
