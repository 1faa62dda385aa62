"""The head of a run: what it is, its state, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.service.jobs import resumable
from kd_core.runs.store import seeds_told
from kd_core.runs.store.folder import ACTIVE
from kd_core.runs.store.rows import RunRow
from kd_core.runs.store.runs import NAME_LENGTH, RunStore
from kd_core.specs import OFFLINE, DatasetSpec, RunSpec, SweepSpec
from pages.ui.compress import cloned
from pages.ui.go_on import offer
from pages.ui.lesson import builder
from pages.ui.report import button
from pages.ui.shared import engine, session, text
from pages.ui.shared.text import Safe, escape, t

NAMED = 5  # targets in the outline
STATE_LOOK = {
    "queued": ("gray", ":material/hourglass_empty:"),
    "starting": ("blue", ":material/rocket_launch:"),
    "running": ("blue", ":material/play_arrow:"),
    "cancelling": ("orange", ":material/stop:"),
    "done": ("green", ":material/check:"),
    "cancelled": ("orange", ":material/stop:"),
    "failed": ("red", ":material/error:"),
    "interrupted": ("orange", ":material/power_off:"),
    "damaged": ("red", ":material/broken_image:"),
}


def state_badge(state: str) -> str:
    """Write a state as markdown, by word, colour and icon."""
    colour, icon = STATE_LOOK.get(state, ("gray", ":material/help:"))
    return f":{colour}-badge[{icon} {t(f'common.states.{state}')}]"


def badge(state: str) -> None:
    """Show a state by word, colour and icon."""
    st.markdown(state_badge(state), width="content")


def predicted(data: DatasetSpec) -> str:
    """Name all columns that are predicted; of very many the first few, and how many more there are."""
    names = [str(data.target), *data.more_targets]
    more = len(names) - NAMED
    return ", ".join(names) if more <= 0 else t("runs.outline.more", names=", ".join(names[:NAMED]), n=more)


def teacher_named(spec: RunSpec, taught: str | None) -> Safe:
    """Name the teacher, and of several that were tried the one that taught, where that is known."""
    name = engine.part_title("teacher", spec.teacher.name)
    if taught is None:
        return t("runs.outline.teacher", name=name)
    return t("runs.outline.taught", name=name, taught=engine.part_title("teacher", taught))


def outline(spec: RunSpec, found: Mapping[str, Any] | None = None) -> Safe:
    """Say in one line what the run does: data, teacher, students, lesson, seeds; with its result who of several teachers taught."""
    lesson = spec.objective.settings
    parts = [
        t("runs.outline.data", name=spec.dataset.name or spec.dataset.source, target=predicted(spec.dataset)),
        teacher_named(spec, ((found or {}).get("teacher") or {}).get("chosen")),
        t("runs.outline.best", num=len(spec.students))
        if spec.choose
        else t("runs.outline.students", names=", ".join(s.name for s in spec.students)),
        escape(" + ".join(engine.part_title("loss", name) for name in builder.names_of(spec.objective.model_dump()))),
    ]
    if spec.sweep is not None:
        parts += [*_tried(spec.sweep), t("runs.outline.seeds", num=seeds_told.seeds(spec, found))]
        return Safe(" · ".join(parts))
    if lesson.get("temperature") is not None:
        parts.append(t("runs.outline.temperature", value=f"{lesson['temperature']:g}"))
    if lesson.get("alpha") is not None and _labels_heard(spec):
        parts.append(t("runs.outline.alpha", value=f"{lesson['alpha']:g}"))
    if (small := spec.compress) is not None:
        parts.append(t("compress.outline" if small.chains else "compress.outline_search", num=len(small.chains)))
    seeds = spec.training.seeds
    parts.append(t("runs.outline.seeds_auto") if seeds is None else t("runs.outline.seeds", num=seeds))
    if spec.evaluation.splits > 1:
        parts.append(t("runs.outline.splits", num=spec.evaluation.splits))
    return Safe(" · ".join(parts))


def _labels_heard(spec: RunSpec) -> bool:
    if spec.mode.name == OFFLINE:  # told without loading torch
        return True
    from kd_core.runs.cells.modes import unlabelled

    return not unlabelled(spec.mode.name)


def _tried(sweep: SweepSpec) -> list[Safe]:
    """Say which values a what-if tries."""
    held = {
        n: getattr(sweep, n) for n in ("temperature", "alpha", "learning_rate", "weight_decay", "dropout", "made_rows")
    }
    return [
        t("runs.outline.tried", axis=t(f"what_if.axis.{n}"), values=", ".join(f"{v:g}" for v in values))
        for n, values in held.items()
        if values
    ]


def show(store: RunStore, row: RunRow, snapshot: Any, found: Mapping[str, Any] | None) -> None:
    """Draw name, outline and buttons."""
    state = snapshot.state
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"#### {escape(row.name or t('runs.no_name'))}", width="content")
        if state not in ACTIVE:
            badge(state)
    with st.container(horizontal=True, gap="xsmall"):
        _actions(store, row, state, snapshot.spec)
    st.caption(outline(snapshot.spec, found))
    if row.note:
        st.caption(f":material/sticky_note_2: {escape(row.note)}")


def _actions(store: RunStore, row: RunRow, state: str, spec: RunSpec) -> None:
    sweep = spec.sweep is not None
    if state in ACTIVE:
        stopping = state == "cancelling"
        waiting = state == "queued"
        if st.button(
            t("runs.head.cancel" if waiting else "runs.head.stop"),
            key="run-stop",
            icon=":material/stop_circle:",
            disabled=stopping,
            help=t(f"runs.head.{'cancel_help' if waiting else 'stopping' if stopping else 'stop_help'}"),
        ):
            _do(lambda: engine.jobs().stop(row.id))
    elif resumable(state, spec) and st.button(
        t("runs.head.resume"),
        key="run-resume",
        icon=":material/resume:",
        type="primary",
        help=t("runs.head.resume_help"),
    ):
        _do(lambda: engine.jobs().resume(row.id))
    if st.button(
        t("runs.head.clone"),
        key="run-clone",
        icon=":material/content_copy:",
        disabled=spec.continues is not None,
        help=t(
            "runs.go_on.no_clone"
            if spec.continues
            else "compress.clone_help"
            if spec.compress
            else f"runs.head.clone_{'sweep_' if sweep else 'best_' if spec.choose else ''}help"
        ),
    ):
        if (small := spec.compress) is not None:
            cloned.go(row.id, small)
        session.go("what_if.py" if sweep else "distill.py", clone=row.id)
    if offer.offered(state, spec):
        offer.show(row)
    if row.headline and st.button(
        t("runs.head.compare"), key="run-compare", icon=":material/scatter_plot:", help=t("runs.head.compare_help")
    ):
        session.go("compare.py", runs=row.id)
    if row.headline and state not in ACTIVE:
        button.offer(store.folder(row.id))
    if st.button(
        "★" if row.star else "☆",
        key="run-star",
        help=f"{t('runs.head.unstar' if row.star else 'runs.head.star')}. {t('runs.head.star_help')}",
    ):
        _do(lambda: store.star(row.id, not row.star))
    with st.popover("", icon=":material/more_horiz:", help=t("runs.head.more"), key="run-more"):
        name = st.text_input(
            t("runs.head.name"), row.name, key=f"name-{row.id}", max_chars=NAME_LENGTH, help=t("runs.head.name_help")
        )
        if st.button(t("runs.head.name_save"), key="run-name-save", help=t("runs.head.name_help")):
            _do(lambda: store.set_name(row.id, name or ""))
        st.divider()
        note = st.text_area(
            t("runs.head.note"),
            row.note,
            key=f"note-{row.id}",
            max_chars=2000,
            placeholder=t("runs.head.note_hint"),
            help=t("runs.head.note_help"),
        )
        if st.button(t("runs.head.note_save"), key="run-note-save", help=t("runs.head.note_help")):
            _do(lambda: store.set_note(row.id, note or ""))
        st.divider()
        _delete(store, row, state)


def _delete(store: RunStore, row: RunRow, state: str) -> None:
    sure = st.checkbox(
        t("runs.head.delete_sure"),
        key=f"sure-{row.id}",
        disabled=state in ACTIVE,
        help=t("runs.head.delete_active" if state in ACTIVE else "runs.head.delete_help"),
    )
    if st.button(
        t("runs.head.delete"),
        key="run-delete",
        icon=":material/delete:",
        disabled=not sure,
        help=t("runs.head.delete_help"),
    ):
        try:
            store.delete(row.id)
        except KDError as error:
            text.show_error(error)
            return
        session.set_run(None)
        st.rerun()


def _do(action: Any) -> None:
    """Carry out a press and redraw; a refusal is shown with its reason."""
    try:
        action()
    except KDError as error:
        st.session_state["run-refused"] = error
    st.rerun()


def refused() -> None:
    """Show why the last press was refused, once."""
    error = st.session_state.pop("run-refused", None)
    if error is not None:
        text.show_error(error)


def damaged(store: RunStore, row: RunRow) -> None:
    """Draw a run whose folder can't be read: what is wrong, what helps, and the way to be rid of it."""
    st.title(t("runs.title_ended"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"#### {escape(row.name or t('runs.no_name'))}", width="content")
        badge(row.state)
    said = row.error
    if said:
        st.error(f"{escape(said.message)}\n\n{escape(said.hint)}", icon=":material/broken_image:")
    st.caption(t("runs.ended.damaged_others"))
    with st.container(border=True):
        _delete(store, row, row.state)


def unreadable(store: RunStore, run_id: str, error: KDError) -> None:
    """Draw a run that turned out to be damaged while it was read; an id that nobody knows is only said."""
    try:
        row = store.refresh(run_id)
    except KDError:
        text.show_error(error)
        return
    if row.state == "damaged":
        damaged(store, row)
        return
    text.show_error(error)  # what is not in the list, such as its events
    with st.container(border=True):
        _delete(store, row, row.state)


def ended(row: RunRow, snapshot: Any, has_result: bool) -> None:
    """Say plainly why a run ended without being done, and what to do next."""
    state = snapshot.state
    if state == "failed":
        said = snapshot.error or row.error
        lines = [f"**{t('runs.ended.failed')}**"]
        if said:
            lines[0] += f" {escape(said.message)}"
            if said.hint:
                lines.append(str(escape(said.hint)))
        lines.append(str(t("runs.ended.failed_next")))
        if said and said.error_id:
            lines.append(f":gray[{t('runs.ended.error_id', id=said.error_id)}]")
        st.error("\n\n".join(lines), icon=":material/error:")
    elif state == "interrupted":
        said = snapshot.error or row.error
        words = (
            f"**{t('runs.ended.interrupted_said')}** {escape(said.message)}" if said else t("runs.ended.interrupted")
        )
        then = escape(said.hint) if said and said.hint else t("runs.ended.interrupted_next")
        st.warning(f"{words} {then}", icon=":material/power_off:")
    elif state == "cancelled":
        none = "cancelled" if snapshot.spec is None or snapshot.spec.compress is None else "cancelled_smaller"
        words = t(f"runs.ended.{'cancelled_partial' if has_result else none}")
        then = t("runs.ended.cancelled_next" if resumable("cancelled", snapshot.spec) else "runs.ended.cancelled_clone")
        st.warning(f"{words} {then}", icon=":material/stop_circle:")
    elif not has_result:
        st.error(t("runs.ended.no_result"), icon=":material/error:")
