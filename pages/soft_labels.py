"""Soft labels: what the teacher knows beyond the label, at any temperature, and what the student made of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from kd_core.errors import KDError
from kd_core.evaluate import soft_labels
from kd_core.runs.store.rows import RunRow
from kd_core.runs.store.runs import RunStore
from kd_core.task import task_of
from pages.ui.result import comparison, kept_rows, soft_view, verdict
from pages.ui.result.kept_rows import Kept
from pages.ui.shared import engine, example, session, text
from pages.ui.shared.text import escape, t
from pages.ui.tasks import one_target

WALKING = "soft-walking"  # the shown row was reached by walking, so that "next" goes on from it
# Even steps of about 8 % on a log axis, rounded to what people write.
TEMPERATURES = (
    0.5,
    0.6,
    0.7,
    0.8,
    0.9,
    1.0,
    1.2,
    1.4,
    1.6,
    1.8,
    2.0,
    2.25,
    2.5,
    2.75,
    3.0,
    3.5,
    4.0,
    4.5,
    5.0,
    5.5,
    6.0,
    7.0,
    8.0,
    9.0,
    10.0,
    12.0,
    14.0,
    16.0,
    18.0,
    20.0,
)


def nearest(value: float) -> float:
    """Return the step nearest to a temperature, by ratio."""
    return min(TEMPERATURES, key=lambda s: abs(np.log(s / value)))


def asked_temperature(trained: float | None) -> float:
    """Read ?T=; without it, or when it is no number above 0, the temperature the student was trained at."""
    try:
        value = float(st.query_params.get("T") or trained or 2.0)
    except ValueError:
        value = float(trained or 2.0)
    return nearest(value) if np.isfinite(value) and value > 0 else nearest(trained or 2.0)


def _ended(store: RunStore) -> list[RunRow]:
    return [r for r in store.list(states=("done", "cancelled"), limit=200) if r.headline]


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
    by_id = {r.id: r for r in rows}
    if st.session_state.get("soft-run") not in by_id or (asked in by_id and st.session_state.get("soft-url") != asked):
        st.session_state["soft-run"] = asked if asked in by_id else ids[0]
    chosen = st.selectbox(
        t("soft_labels.run"),
        ids,
        key="soft-run",
        help=t("soft_labels.run_help"),
        format_func=lambda i: f"{by_id[i].name} · {by_id[i].created_utc[:16].replace('T', ' ')}",
    )
    st.session_state["soft-url"] = chosen
    session.set_run(chosen)
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


def explore(kept: Kept, found: Any, index: int) -> None:
    """Draw everything that follows the temperature; only this part is drawn again when it moves."""
    classes, trained = found["dataset"]["classes"], found["students"][index].get("temperature")

    @st.fragment
    def body() -> None:
        if "soft-T" not in st.session_state:
            st.session_state["soft-T"] = asked_temperature(trained)
        value = st.select_slider(
            t("soft_labels.temperature"),
            TEMPERATURES,
            key="soft-T",
            format_func=lambda v: f"{v:g}",
            help=t("soft_labels.temperature_help"),
        )
        temperature = float(value)
        if st.query_params.get("T") != f"{temperature:g}":
            st.query_params["T"] = f"{temperature:g}"
        if trained is not None:
            st.caption(t("soft_labels.trained_at", value=f"{trained:g}"))
        apart = soft_labels.disagreements(kept.logits["teacher"], kept.logits["student"], temperature)
        clicked = soft_view.take_click("soft-apart")
        if clicked is not None and clicked < len(apart):
            st.session_state["soft-row-id"], st.session_state[WALKING] = int(kept.row_ids[apart[clicked]]) + 1, True
        left, right = st.columns(2, gap="large")
        with left:
            at = choose_row(kept)
            soft_view.one_row(kept, at, classes, temperature)
            soft_view.row_values(kept, at)
        with right:
            soft_view.faithful(kept, found, index, temperature)
            soft_view.all_rows(kept, temperature)
        st.divider()
        left, right = st.columns(2, gap="large")
        with left:
            soft_view.alike(kept, classes, temperature)
        with right:
            soft_view.parted(kept, classes, temperature, apart)

    body()


def choose_row(kept: Kept) -> int:
    """Let the person pick a row by its number in the file, or walk through the disagreements."""
    ranked = soft_view.order(kept)
    ids = [int(r) + 1 for r in kept.row_ids]
    if st.session_state.get("soft-row-id") not in set(ids):
        st.session_state["soft-row-id"] = ids[soft_view.opening_row(kept)]
    left, right = st.columns([1, 1], vertical_alignment="bottom")

    def forward() -> None:
        here = ids.index(st.session_state["soft-row-id"])
        place = list(map(int, ranked)).index(here) if here in ranked and st.session_state.get(WALKING) else -1
        st.session_state[WALKING] = True
        st.session_state["soft-row-id"] = ids[int(ranked[(place + 1) % len(ranked)])]

    right.button(
        t("soft_labels.next"),
        on_click=forward,
        key="soft-next",
        icon=":material/skip_next:",
        help=t("soft_labels.next_help"),
        width="stretch",
    )
    chosen = left.selectbox(t("soft_labels.row_choice"), ids, key="soft-row-id", help=t("soft_labels.row_help"))
    return ids.index(int(chosen))


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
    if st.session_state.get("soft-for") != row.id:
        st.session_state["soft-for"] = row.id
        for key in ("soft-row-id", "soft-row", WALKING):
            st.session_state.pop(key, None)
    kept, found = one_target.choose(kept, found, index, "soft")
    if task_of(found["task"]).is_number:
        title.title(t("soft_labels.regression.title"), anchor=False)
        st.markdown(t("soft_labels.regression.note"))
        soft_view.regression(kept, found)
    else:
        st.caption(t("soft_labels.note"))
        explore(kept, found, index)
    of = found["artifacts"]
    st.caption(t("soft_labels.kept", kept=text.exact(of["rows_kept"]), of=text.exact(of["rows_of"])))


page()
