"""The row that ends a form: what pressing Start takes, beside Start; on a phone it stays at the foot of the screen.

`browser/aids.css` holds it there; a form is some screens long on a phone, and its first values are good enough to start.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pages.ui.access import aids


@contextmanager
def row(name: str, said: str, brief: str | None = None, *, help: str | None = None) -> Iterator[None]:
    """Draw `said` beside the button that is drawn within; on a phone above it, and only what is `brief` stays with the button."""
    short = brief if aids.is_narrow() else None
    if short is not None:
        st.markdown(said, help=help)
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"{name}-finish"):
        st.markdown(said if short is None else short, help=help if short is None else None, width="stretch")
        yield
