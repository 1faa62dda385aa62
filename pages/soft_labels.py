"""Soft labels: what the teacher knows beyond the label, at any temperature, and what the student made of it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.store.rows import RunRow
from kd_core.runs.store.runs import RunStore
from kd_core.task import task_of
from pages.ui.result import comparison, kept_rows, soft_view, verdict
from pages.ui.shared import engine, example, session, text
from pages.ui.shared.text import escape, t
from pages.ui.soft import advice, amounts, live
from pages.ui.tasks import labels, next_item, one_target, ranking
from pages.ui.words import run_names


def _ended(store: RunStore) -> list[RunRow]:
    return [r for r in store.list(states=("done", "cancelled"), limit=200) if r.headline]


def _follow() -> None:
    session.set_run(st.session_state["soft-run"])  # before the frame is drawn, whose card names the run


def choose_run(store: RunStore) -> RunRow | None:
    """Let the person choose a finished run: ?run=, the current one, or the latest."""
    rows = _ended(store)
    if not rows and example.stand_in():
        rows = _ended(store)
    asked = st.query_params.get("run") or session.run_id()
    if asked and asked not in {r.id for r in rows}:
        try:
            own = store.get(asked)
        except KDError as error:
            if st.query_params.get("run"):
                text.show_error(error)
            own = None
        if own is not None and own.headline:
            rows.insert(0, own)
        elif own is not None and own.state == "damaged":
            st.error(escape(own.error), icon=":material/broken_image:")
        elif own is not None and st.query_params.get("run"):
            st.info(t("soft_labels.not_ready"), icon=":material/hourglass_empty:")
    if not rows:
        text.empty_state(
            t("soft_labels.empty"), t("soft_labels.empty_button"), "distill.py", icon=":material/equalizer:", key="soft"
        )
        return None
    example.run_note(store)
    ids = [r.id for r in rows]
    by_id, names = {r.id: r for r in rows}, run_names.of(rows)
    if st.session_state.get("soft-run") not in by_id or (asked in by_id and st.session_state.get("soft-url") != asked):
        session.put("soft-run", asked if asked in by_id else ids[0])
    else:
        session.seed(
            "soft-run", ids[0]
        )  # a phone is told once more, or its box would name another run than the page shows
    chosen = st.selectbox(
        t("soft_labels.run"),
        ids,
        key="soft-run",
        help=t("soft_labels.run_help"),
        format_func=lambda i: names.get(i, i),
        on_change=_follow,
    )
    st.session_state["soft-url"] = chosen
    session.show_run(chosen, st.query_params.get("run") if asked in by_id else None)
    return by_id[chosen]


def choose_student(found: Any) -> int:
    """Let the person pick one of several students: ?student= by name, else the best."""
    students = found["students"]
    if len(students) == 1:
        return 0
    named = [i for i, s in enumerate(students) if s["name"] == st.query_params.get("student")]
    start = named[0] if named else verdict.best_student(found)
    chosen = st.pills(
        t("soft_labels.student"),
        list(range(len(students))),
        default=start,
        required=True,
        format_func=lambda i: escape(students[i]["name"]),
        key=f"soft-student-{found['run_id']}",
        help=t("soft_labels.student_help"),
    )
    return start if chosen is None else int(chosen)


def page() -> None:
    """Draw the screen."""
    store = engine.store()
    title = st.empty()
    title.title(t("soft_labels.title"), anchor=False)
    row = choose_run(store)
    if row is None:
        return
    try:
        folder = store.folder(row.id)
        found = comparison.read(folder)
    except KDError as error:
        text.show_error(error)
        return
    if found is None:
        st.info(t("soft_labels.not_ready"), icon=":material/hourglass_empty:")
        return
    index = choose_student(found)
    try:
        kept = kept_rows.load(folder, found, index)
    except KDError as error:
        text.show_error(error)
        return
    advice.show(found, index)
    stamps = kept_rows.stamps(folder)
    kept, found = one_target.choose(kept, found, index, "soft")
    if ranking.by_order(found["task"]):
        title.title(t("ranking.title"), anchor=False)
        st.markdown(t("ranking.note"))
        ranking.soft(kept, found, index, stamps)
    elif labels.are_labels(found["task"]):
        labels.soft(kept, found, index, stamps)
    elif task_of(found["task"]).is_number:
        title.title(t("soft_labels.regression.title"), anchor=False)
        st.markdown(t("soft_labels.regression.note"))
        amounts.show(kept, found, index, stamps, folder.spec())
    else:
        st.caption(t("soft_labels.note"))
        if len(found["dataset"]["classes"] or ()) == 2:
            example.messages_note()
        if kept.logits["teacher"].shape[1] == len(found["dataset"]["classes"]):
            live.show(kept, found, index, stamps)
        elif task_of(found["task"]).by_history:
            next_item.soft(kept, found, index, stamps)
        else:
            st.info(t("soft_labels.other_width"), icon=":material/info:")
        soft_view.faithful(found, index)
    of = found["artifacts"]
    st.caption(t("soft_labels.kept", kept=text.exact(of["rows_kept"]), of=text.exact(of["rows_of"])))


page()
