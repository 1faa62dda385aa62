"""The offer to go on from a finished run: a file of new rows, how much of the old ones is learned again, and what is kept apart."""

from __future__ import annotations

import streamlit as st

from kd_core import limits
from kd_core.errors import KDError
from kd_core.runs.store.rows import RunRow
from kd_core.specs import ContinueSpec, RunSpec
from pages.ui.data import understanding
from pages.ui.data.sources import endings
from pages.ui.runs import launch
from pages.ui.shared import engine, text, uploader
from pages.ui.shared.text import t


def offered(state: str, spec: RunSpec) -> bool:
    """Say whether a run can be gone on from: an ordinary one that is done."""
    return state == "done" and spec.sweep is None and spec.compress is None


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
        if file is not None:
            foresee(row.id, file, old_share, held_out)
        if (
            st.button(t("runs.go_on.start"), key="go-on-start", type="primary", disabled=file is None)
            and file is not None
        ):
            start(row.id, file, old_share, held_out)


def foresee(run: str, file: object, old_share: float, held_out: float) -> None:
    """Say how long it will take, or already here what does not fit."""
    from kd_core.runs.continuing import foreseen

    try:
        spec = _spec(run, file, old_share, held_out)
        assert spec.continues is not None
        key = f"go-on-rows-{run}-{spec.continues.source}"
        if key not in st.session_state:  # reading the file takes a while, the shares only a moment
            with st.spinner(t("runs.go_on.reading")):
                st.session_state[key] = foreseen.new_rows(spec)
        new = st.session_state[key]
        facts = understanding.facts(engine.library().save_spec(spec.dataset), spec.dataset)
        train = (engine.store().folder(run).result() or {})["dataset"]["rows"]["train"]
        found = foreseen.going(spec, facts.rows, train, facts.inputs, facts.outputs, new)
    except KDError as error:
        text.show_error(error)
        return
    st.caption(t("runs.go_on.time", time=launch.time(found), rows=text.exact(new)), help=launch.reasons(found))


def _spec(run: str, file: object, old_share: float, held_out: float) -> RunSpec:
    """Keep the file, and make the recipe that goes on with it. Errors: as `spec_of`."""
    from kd_core.runs.continuing.asked import spec_of  # brings torch along

    held, name = f"go-on-kept-{run}", str(getattr(file, "name", "rows"))
    mark = getattr(file, "file_id", None) or file
    if st.session_state.get(held, (None,))[0] != mark:  # a file is written once, not at every move of a slider
        st.session_state[held] = mark, engine.library().add(file, name)  # type: ignore[arg-type]
    stored = st.session_state[held][1]
    return spec_of(run, stored.source, name=stored.name, old_share=old_share, held_out=held_out)


def start(run: str, file: object, old_share: float, held_out: float) -> None:
    """Keep the file and queue the run that goes on. A refusal is shown."""
    try:
        spec = _spec(run, file, old_share, held_out)
    except KDError as error:
        text.show_error(error)
        return
    launch.start(spec, "runs.py")
