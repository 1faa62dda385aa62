"""The latency lab: what to time, its progress, and what was found last on the chosen runs."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from kd_core.errors import KDError
from kd_core.evaluate.cost import CostSpec
from kd_core.runs.store.folder import ACTIVE
from kd_core.runs.store.rows import RunRow
from kd_core.runs.store.runs import RunStore
from kd_core.runs.timing import told as session
from kd_core.runs.timing.job import Job
from kd_core.runs.timing.kept import kept
from kd_core.runs.timing.told import Found
from pages.ui.access import cards
from pages.ui.charts import compare as charts
from pages.ui.latency import asking, making, told
from pages.ui.shared import picture, text
from pages.ui.shared.text import t

PHASES = ("open", "choose", "prepare", "rounds", "starts")
SHARES = {
    "open": 0.0,
    "choose": 0.1,
    "prepare": 0.2,
    "rounds": 0.3,
    "starts": 0.8,
    "end": 1.0,
}  # of the bar, where a phase begins


def show(store: RunStore, rows: Sequence[RunRow]) -> None:
    """Draw the lab for the chosen runs."""
    st.subheader(t("latency.title"), anchor=False)
    st.caption(t("latency.lead"))
    folders = [store.folder(row.id) for row in rows]
    found = asking.models(
        folders, {row.id: name for row, name in zip(rows, text.telling([row.name for row in rows]), strict=True)}
    )
    if not found:
        return
    asked = asking.form(found)
    job = making.last()
    busy = job is not None and job.busy
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            t("latency.measure"),
            key="latency-measure",
            icon=":material/timer:",
            type="primary",
            disabled=busy or asked is None,
        ):
            try:
                assert asked is not None
                making.start(asked)
                st.rerun()
            except KDError as error:
                text.show_error(error)
        if asked is None:
            st.caption(asking.missing())
        elif store.count(states=ACTIVE):
            st.caption(f":material/warning: {t('latency.run_active')}")
    if job is not None:
        _progress(job)
    sessions = [one for folder in folders for one in kept(folder)]
    newest = session.newest(sessions)
    if newest is None:
        if not busy:
            st.info(t("latency.empty"), icon=":material/timer:")
        return
    _found(newest)


def _progress(job: Job) -> None:
    """Draw how far it is while it goes on, and why there is nothing where it failed."""

    @st.fragment(run_every=1.0 if job.busy else None)
    def live() -> None:
        if not job.busy:
            st.rerun()
        said = job.progress
        phase = said.get("phase", "open")
        after = [*PHASES[PHASES.index(phase) + 1 :], "end"][0]
        share = SHARES[phase] + (SHARES[after] - SHARES[phase]) * said.get("done", 0) / max(1, said.get("of", 1))
        where = t(
            f"latency.phase.{phase}", done=said.get("done", 0), of=said.get("of", 0), name=str(said.get("name", ""))
        )
        st.progress(min(1.0, share), text=t("latency.progress", phase=where, seconds=text.seconds(round(job.seconds))))
        if st.button(t("latency.stop"), key="latency-stop", icon=":material/stop:"):
            job.stop()
            job.wait(5.0)
            st.rerun()

    if job.busy:
        live()
    elif job.error is not None:
        text.show_error(job.error)
    elif job.stopped:
        st.caption(t("latency.stopped"))


def _found(found: Found) -> None:
    """Draw a session: chart, times, runtimes, sizes, cost, what is missing."""
    st.caption(told.where(found))
    if found["rounds"]["done"] < found["rounds"]["asked"]:
        st.caption(f":material/hourglass_bottom: {t('latency.fewer')}")
    if session.is_busy(found):
        st.warning(t("latency.busy"), icon=":material/warning:")
    forms = [f for f in session.FORMS if any(one["form"] == f for one in found["times"])]
    batches = session.batches(found)
    if not forms:
        st.markdown(t("latency.no_times"))
    else:
        left, right = st.columns(2)
        form = left.segmented_control(
            t("latency.form_title"),
            forms,
            default=forms[0],
            format_func=lambda name: t(f"latency.form.{name}"),
            key="latency-form",
            help=t("latency.form_help"),
            required=True,
        )
        batch = right.segmented_control(
            t("latency.rows_at_once"),
            batches,
            default=batches[0],
            format_func=lambda n: f"{n:,}",
            key="latency-batch",
            required=True,
        )
        _times(found, str(form or forms[0]), int(batch or batches[0]))
    if said := told.fastest(found):
        st.markdown(f"**{t('latency.fastest_title')}**", help=t("latency.fastest_help"))
        cards.table(pd.DataFrame(said), hide_index=True, height="content", alt=t("latency.fastest_title"))
        for line in told.slower(found):
            st.markdown(f":material/info: {line}")
    st.markdown(f"**{t('latency.sizes')}**", help=t("latency.sizes_help"))
    cards.table(pd.DataFrame(told.sizes(found)), hide_index=True, height="content", alt=t("latency.sizes"))
    _cost(found, batches)
    if notes := told.notes(found):
        with st.expander(t("latency.notes", num=len(notes))):
            st.markdown("\n".join(f"- {line}" for line in notes))


def _times(found: Found, form: str, batch: int) -> None:
    drawn = told.points(found, form, batch)
    if not drawn:
        st.markdown(t("latency.no_times"))
        return
    fig = charts.intervals(
        drawn, x_title=t("latency.axis" if batch > 1 else "latency.axis_one", batch=batch), written=text.milliseconds
    )
    picture.show(fig, "latency-intervals", told.alt(drawn, batch))
    st.caption(t("latency.chart_note"))
    cards.table(pd.DataFrame(told.lines(found, form, batch)), hide_index=True, height="content", alt=t("latency.times"))


def _cost(found: Found, batches: Sequence[int]) -> None:
    """Draw the cost with its assumptions, each of which can be changed."""
    usual = CostSpec()
    with st.container(border=True):
        st.markdown(f"**{t('latency.cost')}**", help=t("latency.cost_help"))
        one, two, three, four, five = st.columns(5)
        per_day = one.number_input(
            t("latency.per_day"), 1, 10**12, int(usual.per_day), step=100_000, key="latency-per-day"
        )
        price = two.number_input(
            t("latency.price"),
            0.0,
            1e4,
            usual.price,
            step=0.01,
            format="%.3f",
            key="latency-price",
            help=t("latency.price_help"),
        )
        currency = three.text_input(t("latency.currency"), "USD", max_chars=8, key="latency-currency")
        used = four.number_input(
            t("latency.used"), 1, 100, int(100 * usual.utilisation), key="latency-used", help=t("latency.used_help")
        )
        batch = five.selectbox(
            t("latency.rows_at_once"), batches or [1], format_func=lambda n: f"{n:,}", key="latency-cost-batch"
        )
        asked = CostSpec(per_day=per_day, price=price, utilisation=used / 100, batch=batch)
        lines = told.costs(found, asked, currency)
        if lines:
            cards.table(pd.DataFrame(lines), hide_index=True, height="content", alt=t("latency.cost"))
        st.caption(t("latency.cost_note", day=text.exact(per_day), used=used))
