"""The drawing of what the form sets up, at the head of the page; it follows every change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.specs import RunSpec
from pages.ui.chain.drawing import drawing
from pages.ui.chain.parts import chain
from pages.ui.shared import text
from pages.ui.shared.facts import Facts
from pages.ui.shared.text import t, term
from pages.ui.words import row_split

if TYPE_CHECKING:
    from kd_core.runs.estimate import Estimate


def show(place: Any, spec: RunSpec | None, facts: Facts, found: Estimate | None) -> None:
    """Draw the chain, or say that it comes once nothing stands in the way: without an estimate there is no run."""
    with place:
        if spec is None or found is None:
            st.markdown(f"**{t('distill.chain.title')}**")
            st.caption(t("distill.chain.later"))
            return
        st.markdown(f"**{t('distill.chain.title_time', seconds=text.forecast(found.seconds))}**")
        try:
            st.html(drawing(chain(spec, facts, found)))
        except KDError as error:
            text.show_error(error)
        st.caption(row_split.line(spec.dataset), help=term("split"))
