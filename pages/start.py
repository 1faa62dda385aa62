"""Start: a finished example at once, and the ways to begin."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.registry import Entry
from kd_core.scenarios import AREAS, default_spec
from kd_core.specs import RunSpec
from pages.ui.data import sources
from pages.ui.runs import launch
from pages.ui.shared import engine, example, session, text
from pages.ui.shared.text import escape, t, term

ACROSS = 4  # samples side by side


def main() -> None:
    """Draw the page."""
    st.title(t("start.title"))
    st.markdown(t("start.lead"))
    try:
        found = example.read()
    except (KDError, OSError, ValueError) as error:
        text.show_error(error)
        found = None
    if found is None:
        text.empty_state(
            t("start.no_example"), t("start.try_sample"), "data.py", icon=":material/insights:", key="start-empty"
        )
    else:
        _finished(*found)
    _begin()


def _finished(spec: RunSpec, result: dict[str, Any]) -> None:
    """The example: its three words, its student at work, and its sentence. Every number comes from the kept run."""
    from pages.ui.result import verdict
    from pages.ui.start import first_words, learning, player

    best = verdict.best_student(result)
    first_words.show(example.FOLDER, result, best)
    with st.container(border=True, key="start-example"):
        learned = learning.read(example.FOLDER, result, best)
        if learned is None:  # a run without curves
            _said(spec, result, best)
            return
        left, right = st.columns([6, 5], gap="large", vertical_alignment="center")
        with left:
            player.show(learned, str(result["run_id"]))
        with right:
            _said(spec, result, best)


def _said(spec: RunSpec, result: dict[str, Any], best: int) -> None:
    """What came out, where and when it was measured, and the ways on from here."""
    from pages.ui.result import verdict
    from pages.ui.result.page import claims

    said = verdict.judge(result, best)
    rows = sum(result["dataset"]["rows"].values())
    st.caption(t("start.example_of", name=spec.name or result["dataset"]["name"], rows=text.exact(rows)))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(
            t(f"runs.word.{said.word}"),
            color=verdict.COLOUR[said.word],
            icon=verdict.ICON[said.word],
            help=term("verdict"),
        )
    claims(said, result, result["students"][best], big=False)
    took = sum(v for v in result["seconds"].values() if isinstance(v, int | float))
    st.caption(
        t(
            "start.kept",
            hardware=verdict.hardware(result),
            date=str(result["created_utc"])[:10],
            seconds=text.seconds(result["seconds"].get("total", took)),
            version=result["environment"]["torch"],
        )
    )
    with st.container(horizontal=True):
        if st.button(
            t("start.run_it"),
            type="primary",
            key="start-run",
            icon=":material/play_arrow:",
            help=t("start.run_it_help"),
        ):
            _run(spec)
        if st.button(t("start.open"), key="start-open", icon=":material/open_in_full:"):
            _open()
        if st.button(t("start.what_if"), key="start-what-if", icon=":material/grid_on:", help=t("start.what_if_help")):
            session.go("what_if.py", data=engine.library().save_spec(spec.dataset), run=None)


def _run(spec: RunSpec) -> None:
    """Run for real on this machine, and go and watch."""
    try:
        session.set_dataset(engine.library().save_spec(spec.dataset))
    except KDError as error:
        text.show_error(error)
        return
    launch.start(spec, "runs.py", again=True)


def _open() -> None:
    """Put the example among the runs, once, and open it."""
    try:
        dataset_id, run_id = example.adopt()
    except (KDError, OSError) as error:
        text.show_error(error)
        return
    session.set_dataset(dataset_id)
    session.set_run(run_id)
    session.go("runs.py", data=dataset_id, run=run_id)


def _begin() -> None:
    """Own data, or a sample run for real with one click; samples by the area of a shop that they are about."""
    st.subheader(t("start.or"))
    every = sources.scenarios()
    area = st.pills(
        t("start.area"),
        [name for name in AREAS if any(name == entry.facts["tags"][0] for entry in every)],
        key="start-area",
        format_func=escape,
        help=t("start.area_help"),
    )
    shown = [entry for entry in every if area is None or area in entry.facts["tags"]]
    places = [place for _ in range(0, len(shown) + 1, ACROSS) for place in st.columns(ACROSS, gap="small")]
    with places[0], st.container(border=True, height="stretch"):
        st.markdown(f"**{t('start.own')}**")
        st.caption(t("start.own_note"))
        st.space("stretch")
        if st.button(t("start.own_button"), key="start-own", icon=":material/upload_file:"):
            session.go("data.py", data=None)
    for place, entry in zip(places[1:], shown, strict=False):
        with place, st.container(border=True, height="stretch"):
            _card(entry)


def _card(entry: Entry[Any]) -> None:
    """A scenario: what it is about, its business question, how large it is, and the button that runs it."""
    area, *more = entry.facts["tags"]
    st.markdown(f"**{escape(entry.title)}**")
    st.caption(escape(entry.facts["story"]))
    said = " · ".join([area, *more, str(t("start.rows", n=text.number(entry.facts["rows"])))])
    st.markdown(f":gray[:small[{escape(said)}]]")
    st.space("stretch")
    if st.button(
        t("start.run_sample"), key=f"start-{entry.name}", icon=":material/play_arrow:", help=t("start.run_sample_help")
    ):
        _run(default_spec(entry.name))


main()
