"""A run whose worker shows no sign of work: said after a while, with what can be done."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core import limits
from kd_core.errors import KDError
from pages.ui.shared import engine, text
from pages.ui.shared.text import t


def show(now: Any) -> None:
    """Say of a snapshot that its run has been silent for `limits.SILENT_SECONDS`, and offer to end it."""
    if now.silent_s >= limits.SILENT_SECONDS:
        notice(now.run_id, now)


def notice(run_id: str, now: Any) -> None:
    """Draw the words and the two ways out."""
    with st.container(border=True, key="run-silent"):
        st.warning(
            f"**{t('runs.silence.title', seconds=text.seconds(int(now.silent_s)))}** {t('runs.silence.text')}",
            icon=":material/ac_unit:",
        )
        with st.container(horizontal=True, gap="small"):
            for name, again, icon in (("end", False, "stop_circle"), ("again", True, "resume")):
                if st.button(
                    t(f"runs.silence.{name}"),
                    key=f"run-silent-{name}",
                    icon=f":material/{icon}:",
                    type="primary" if again else "secondary",
                    help=t(f"runs.silence.{name}_help"),
                ):
                    try:
                        engine.jobs().interrupt(run_id, again=again)
                    except KDError as error:
                        st.session_state["run-refused"] = error
                    st.rerun()
