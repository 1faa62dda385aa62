"""Status: the machine, the worker, the queue, the disk, and what went wrong lately."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

import streamlit as st

from kd_core import __version__
from kd_core.errors import KDError
from kd_core.machine import packages
from kd_core.runs.service.jobs import ServiceStatus
from kd_core.workspace import workspace
from pages.ui.shared import engine, session, text
from pages.ui.shared.text import Safe, escape, t

if TYPE_CHECKING:
    from kd_core.teachers.answer_cache.cache import TeacherCache

PACKAGES = ("torch", "scikit-learn", "pandas", "numpy", "onnxruntime", "streamlit", "plotly")


def main() -> None:
    """Draw the page."""
    st.title(t("status.title"), anchor=False)
    try:
        service = engine.jobs()
    except KDError as error:
        text.show_error(error)
        return

    @st.fragment(run_every=5.0)
    def live() -> None:
        found = service.status()
        _headline(found)
        _queue(found)
        _errors(found)
        left, right = st.columns(2, gap="large")
        with left:
            _machine(found)
        with right:
            _versions(found)

    live()
    _kept_teachers()


def _headline(found: ServiceStatus) -> None:
    """One sentence that answers the title, and four numbers."""
    troubles = [t("status.trouble.errors", n=len(found.errors))] if found.errors else []
    if found.disk_free_bytes < 2 * 2**30:
        troubles.append(t("status.trouble.disk", free=text.size(found.disk_free_bytes)))
    if found.worker in ("failed", "gone", "dead"):
        troubles.append(t("status.trouble.worker"))
    if troubles:
        st.markdown(f":orange[:material/warning:] {' '.join(troubles)}")
    else:
        st.markdown(f":green[:material/check_circle:] {t('status.fine')}")
    with st.container(border=True):
        a, b, c, d = st.columns(4)
        word = f"status.worker_state.{found.worker}"
        a.metric(
            t("status.worker"), t(word) if word in text.catalogue() else found.worker, help=t("status.worker_help")
        )
        b.metric(t("status.waiting"), text.exact(len(found.queue)), help=t("status.waiting_help"))
        c.metric(
            t("status.disk_free"),
            text.size(found.disk_free_bytes),
            help=t("status.of", whole=text.size(found.disk_bytes)),
        )
        d.metric(
            t("status.memory_free"),
            text.size(found.memory_free_bytes),
            help=t("status.of", whole=text.size(found.memory_bytes)),
        )


def _queue(found: ServiceStatus) -> None:
    """What is trained now and what waits."""
    store = engine.store()
    st.subheader(t("status.work"), anchor=False)
    if not found.running and not found.queue:
        st.caption(t("status.idle"))
    for place, run_id in enumerate([*([found.running] if found.running else []), *found.queue]):
        running = run_id == found.running
        row = store.get(run_id)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(t(f"common.states.{row.state}"), color="blue" if running else "gray")
            st.page_link("runs.py", label=escape(row.name or run_id), query_params=session.link(run=run_id))
            if not running:
                st.caption(t("common.run_queued", place=place + (0 if found.running else 1)))


def _errors(found: ServiceStatus) -> None:
    """Recent errors, newest first, with the number that is also in the log."""
    if not found.errors:
        return
    st.subheader(t("status.errors"), anchor=False)
    for error in reversed(found.errors[-20:]):
        where = " · ".join(str(error[k]) for k in ("utc", "run_id", "error_id", "code") if error.get(k))
        st.error(f"**{escape(error.get('message', ''))}** {escape(error.get('hint', ''))}\n\n:small[{escape(where)}]")


@st.fragment
def _kept_teachers() -> None:
    """What the kept answers of teachers take and save, and the way to clear them."""
    from kd_core.teachers.answer_cache.cache import (
        TeacherCache,  # imports the training library: after the rest is on the screen
    )

    cache = TeacherCache(workspace() / "teachers")
    st.subheader(t("status.kept.title"), anchor=False)
    try:
        used = cache.usage()
    except KDError as error:
        text.show_error(error)
        return
    st.caption(t("status.kept.about", limit=text.size(used.limit_bytes)))
    asked = text.exact(used.hits + used.misses)
    with st.container(border=True):
        a, b, c, d = st.columns(4)
        a.metric(
            t("status.kept.rate"),
            text.percent(used.hit_rate, 0),
            help=t("status.kept.rate_help", hits=text.exact(used.hits), asked=asked),
        )
        b.metric(t("status.kept.saved"), text.seconds(used.seconds_saved), help=t("status.kept.saved_help"))
        c.metric(
            t("status.kept.size"),
            text.size(used.size_bytes),
            help=t("status.kept.size_help", exact=text.exact(used.size_bytes), limit=text.size(used.limit_bytes)),
        )
        d.metric(t("status.kept.entries"), text.exact(used.entries), help=t("status.kept.entries_help"))
    _clear_kept(cache, empty=used.size_bytes == 0)


def _clear_kept(cache: TeacherCache, empty: bool) -> None:
    """Offer to delete the kept answers, after a second yes."""

    def clear() -> None:
        st.session_state["status-clear-sure"] = False
        st.toast(t("status.kept.cleared", size=text.size(cache.clear())))

    why = t("status.kept.nothing" if empty else "status.kept.clear_help")
    with st.popover(t("status.kept.clear"), icon=":material/delete:", disabled=empty, help=why):
        sure = st.checkbox(t("status.kept.sure"), key="status-clear-sure", help=t("status.kept.clear_help"))
        st.button(
            t("status.kept.clear_now"),
            key="status-clear",
            icon=":material/delete:",
            disabled=not sure,
            on_click=clear,
            help=t("status.kept.clear_help"),
        )


def _rows(title: str, rows: list[tuple[str, Any]]) -> None:
    """A quiet two-column list."""
    st.subheader(title, anchor=False)
    table = {"name": [str(name) for name, _ in rows], "value": [escape(value) for _, value in rows]}
    st.table(table, border="horizontal", hide_header=True, hide_index=True, alt=title)


def _machine(found: ServiceStatus) -> None:
    here: dict[str, Any] = found.environment
    device = here.get("device_name") or platform.processor() or platform.machine()
    ready = (
        Safe(t("status.gpu") if here.get("device") == "cuda" else t("status.cpu")) if here else t("status.not_known")
    )
    _rows(
        t("status.machine"),
        [
            (t("status.device"), device),
            (t("status.trains_on"), ready),
            (t("status.cores"), text.exact(found.cores)),
            (t("status.memory"), text.size(found.memory_bytes)),
            (t("status.worker_memory"), text.size(found.worker_rss_bytes)),
            (t("status.uptime"), text.seconds(found.uptime_s)),
            (t("status.restarts"), text.exact(found.restarts)),
            (t("status.workspace"), found.workspace),
            (t("status.runs"), text.exact(found.runs)),
        ],
    )


def _versions(found: ServiceStatus) -> None:
    versions = [(t("common.product"), __version__), ("Python", platform.python_version())]
    versions += [(name, packages.version(name)) for name in PACKAGES]
    _rows(t("status.versions"), [*versions, (t("status.system"), f"{platform.system()} {platform.release()}")])


main()
