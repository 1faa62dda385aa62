"""The row that ends a form: what pressing Start takes, beside Start; it stays at the foot of the screen.

`browser/aids.css` holds it there; a form is longer than a screen, and its first values are good enough to start.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st


@contextmanager
def row(name: str, said: str, brief: str | None = None, *, help: str | None = None) -> Iterator[None]:
    """Draw `said` beside the button that is drawn within; above it, where what is `brief` stays with the button instead."""
    if brief is not None:
        st.markdown(said, help=help)
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"{name}-finish"):
        st.markdown(said if brief is None else brief, help=help if brief is None else None, width="content")
        yield
