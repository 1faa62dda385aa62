"""Where data comes from: a dropped file, a sample, or a file that was used before."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from kd_core import limits
from kd_core.errors import KDError
from kd_core.registry import Entry
from kd_core.scenarios import AREAS, SCENARIOS, default_spec
from pages.ui.access import aids
from pages.ui.shared import engine, example, forms, session, text, uploader
from pages.ui.shared.text import t

USUAL = ("csv", "tsv", "parquet", "xlsx", "jsonl", "zip", "gz")
CHOICES = session.BEGUN
KEY = "data"  # prefix of every widget of the page


def scenarios() -> list[Entry[Any]]:
    """The samples, area by area of a shop."""
    return sorted(SCENARIOS.entries(), key=lambda e: AREAS.index(e.facts["tags"][0]))


def endings() -> list[str]:
    """File name endings the uploader accepts, the usual ones first."""
    from kd_core.data.files.reading import accepted_extensions

    found = [e.lstrip(".") for e in accepted_extensions()]
    return sorted(found, key=lambda e: (USUAL.index(e) if e in USUAL else len(USUAL), e))


def choices() -> dict[str, Any] | None:
    """What is being set up on the page: the values of a DatasetSpec; from `?data=` after a refresh."""
    held: dict[str, Any] | None = st.session_state.get(CHOICES)
    asked = st.query_params.get(session.DATA)
    waits = CHOICES in st.session_state and not asked  # for a file, until the one in use is asked for
    if held is None and not waits and (current := session.dataset_id()):
        try:
            held = engine.library().spec(current).model_dump(mode="json")
        except KDError as error:
            text.show_error(error)
            session.set_dataset(None)
            return None
        st.session_state[CHOICES] = held
    return held


def begin(source: str, name: str, **more: Any) -> None:
    """Start over with another file."""
    forms.forget(f"{KEY}.")
    st.session_state[CHOICES] = {"source": source, "name": name, **more}


def wait() -> None:
    """Let Data be open for a file, whatever is in use or was being set up."""
    forms.forget(f"{KEY}.")
    st.session_state[CHOICES] = None


def of_example() -> Entry[Any]:
    """The sample of the shipped example, with which a newcomer can't go wrong."""
    found = example.read()
    source = found[0].dataset.source if found else None
    every = scenarios()
    return next((e for e in every if f"sample:{e.facts['sample']}" == source), every[0])


def begin_sample(entry: Entry[Any]) -> None:
    """Start over with a sample, as its scenario reads it."""
    told = default_spec(entry.name).dataset.model_dump(mode="json", exclude_defaults=True)
    begin(told.pop("source"), told.pop("name"), **told)
    st.rerun()


def nothing() -> None:
    """Say what will be on the page, and fill it with one press."""
    with st.container(border=True, horizontal_alignment="center", key="data-empty-state"):
        st.space("small")
        st.markdown(t("data.nothing"), width="content")
        entry, waits = of_example(), CHOICES in st.session_state  # who asked for a file has one
        kind: Literal["primary", "secondary"] = "secondary" if waits else "primary"
        if st.button(t("data.fill", name=entry.title), type=kind, key="data-fill", icon=":material/table_view:"):
            begin_sample(entry)
        st.space("small")


def picker() -> None:
    """Draw the three ways to choose data; samples step aside once a file is open."""
    opened = st.session_state.get(CHOICES) is not None
    left, right = st.columns([3, 2], gap="small" if aids.is_narrow() else "large")
    with left:
        turn = st.session_state.setdefault("data_upload_turn", 0)
        file = uploader.drop(
            t("data.upload"), endings(), f"data-upload-{turn}", limits.FILE_BYTES // 2**20, t("data.upload_help")
        )
        if file is not None:
            _keep(file, turn)
        if error := st.session_state.pop("data_upload_error", None):
            text.show_error(error)
    with right:
        if opened or engine.library().files():
            st.markdown(f":small[{t('data.elsewhere')}]")
        if opened:  # another key for each source: a list that stays itself stays open over the table that it fetched
            held = str((st.session_state.get(CHOICES) or {}).get("source"))
            with st.popover(t("data.samples"), icon=":material/table_view:", key=f"data-samples-{held}"):
                _samples()
        _known()
    if not opened:
        st.markdown(f":small[{t('data.samples')}]")
        _samples()


def _samples() -> None:
    with st.container(horizontal=True, gap="small", key="data-sample-list"):
        for entry in scenarios():
            if st.button(
                text.escape(entry.title),
                key=f"data-sample-{entry.facts['sample']}",
                help=text.escape(entry.facts["story"]),
            ):
                begin_sample(entry)


def _keep(file: Any, turn: int) -> None:
    """Stream the upload to disk and let go of it: its bytes stay in memory as long as the widget holds them."""
    try:
        stored = engine.library().add(file, file.name)
    except KDError as error:
        st.session_state["data_upload_error"] = error
    else:
        begin(stored.source, stored.name)
    st.session_state["data_upload_turn"] = turn + 1
    st.rerun()


def _known() -> None:
    """Offer files that are in the workspace already."""
    library = engine.library()
    files = library.files()
    for problem in library.damaged():
        st.caption(f":orange[:material/broken_image:] {text.escape(str(problem))}")
    if not files:
        return
    shown = {f.source: f for f in files}
    picked = st.selectbox(
        t("data.known"),
        list(shown),
        index=None,
        placeholder=t("data.known_placeholder"),
        key="data-known",
        format_func=lambda s: f"{shown[s].name} · {text.size(shown[s].size_bytes)}",
        label_visibility="collapsed",
        on_change="rerun",
    )
    held = st.session_state.get(CHOICES) or {}
    if picked and picked != held.get("source") and picked != st.session_state.get("data_known_taken"):
        st.session_state["data_known_taken"] = picked
        begin(picked, shown[picked].name)
        st.rerun()
