"""Progress for who listens to the page: one quiet line that a screen reader speaks when it changes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.shared.picture import BROWSER
from pages.ui.shared.text import Safe, catalogue, plain, t

HEARD = "announced-run"
_place = st.components.v2.component("kd_announcer", js=(BROWSER / "announcer.js").read_text("utf-8"))


def words(now: Any) -> str:
    """Say state, phase and finished trainings of a snapshot, in tenths: a line at every step would never end."""
    said = [t(f"common.states.{now.state}")]
    phase = next((p.name for p in now.phases if p.state == "running"), None)
    if phase and f"runs.phase.{phase}" in catalogue():
        said.append(t(f"runs.phase.{phase}"))
    if now.trainings:
        tenths = 10 * now.trainings_done // now.trainings
        said.append(t("runs.live.said", share=10 * tenths, of=now.trainings))
    return plain(Safe(", ".join(said)))


def progress(now: Any, verdict: str = "") -> None:
    """Speak the progress of a run when it has changed."""
    st.session_state[HEARD] = now.run_id
    said = " ".join(part for part in (f"{words(now)}.", verdict) if part)
    _place(key=f"announcer-{now.run_id}", data={"text": said})


def ended(now: Any, verdict: str = "") -> None:
    """Speak a run's end and its verdict to who listened to its progress; who opens a finished run hears its page alone."""
    if st.session_state.get(HEARD) == now.run_id:
        progress(now, verdict)
