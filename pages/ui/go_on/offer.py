"""The offer to go on from a finished run: a file of new rows, how much of the old ones is learned again, and what is kept apart."""

from __future__ import annotations

import streamlit as st

from kd_core import limits
from kd_core.errors import KDError
from kd_core.runs.store.rows import RunRow
from kd_core.specs import ContinueSpec, RunSpec
from pages.ui.data.sources import endings
from pages.ui.runs import launch
from pages.ui.shared import engine, text, uploader
from pages.ui.shared.text import t


def offered(state: str, spec: RunSpec) -> bool:
    """Say whether a run can be gone on from: an ordinary one that is done."""
    return state == "done" and spec.sweep is None


def show(row: RunRow) -> None:
    """Draw the offer; pressing Start makes the run and goes to watch it. What does not fit is said with its reason."""
    with st.popover(t("runs.go_on.button"), icon=":material/playlist_add:", help=t("runs.go_on.help"), key="run-go-on"):
        st.caption(t("runs.go_on.about"))
        most = limits.FILE_BYTES // 2**20
        file = uploader.drop(t("runs.go_on.rows"), endings(), f"go-on-{row.id}", most, t("runs.go_on.rows_help"))
        fields = ContinueSpec.model_fields
        old_share = st.slider(
            t("runs.go_on.old_share"),
            0.05,
            1.0,
            float(fields["old_share"].default),
            0.05,
            key=f"go-on-share-{row.id}",
            help=t("runs.go_on.old_share_help"),
        )
        held_out = st.slider(
            t("runs.go_on.held_out"),
            0.05,
            0.5,
            float(fields["held_out"].default),
            0.05,
            key=f"go-on-held-{row.id}",
            help=t("runs.go_on.held_out_help"),
        )
        if (
            st.button(t("runs.go_on.start"), key="go-on-start", type="primary", disabled=file is None)
            and file is not None
        ):
            start(row.id, file, old_share, held_out)


def start(run: str, file: object, old_share: float, held_out: float) -> None:
    """Keep the file and queue the run that goes on. A refusal is shown."""
    from kd_core.runs.continuing.asked import spec_of  # brings torch along

    try:
        stored = engine.library().add(file, str(getattr(file, "name", "rows")))  # type: ignore[arg-type]
        spec = spec_of(run, stored.source, name=stored.name, old_share=old_share, held_out=held_out)
    except KDError as error:
        text.show_error(error)
        return
    launch.start(spec, "runs.py")
