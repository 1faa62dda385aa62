"""Start: a finished example at once, and the ways to begin."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.scenarios import default_spec
from kd_core.specs import RunSpec
from pages.ui.access import aids
from pages.ui.runs import launch
from pages.ui.shared import engine, example, session, text
from pages.ui.shared.text import t, term
from pages.ui.start import cards


def main() -> None:
    """Draw the page."""
    st.title(t("start.title"), anchor=False)
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
    cards.show(lambda name: _run(default_spec(name)))


def _finished(spec: RunSpec, result: dict[str, Any]) -> None:
    """The example: its three words, its student at work, and its sentence. Every number comes from the kept run."""
    from pages.ui.result import verdict
    from pages.ui.start import first_words, learning, player

    best, narrow = verdict.best_student(result), aids.is_narrow()
    if not narrow:
        first_words.show(example.FOLDER, result, best)
    with st.container(border=True, key="start-example"):
        with st.spinner(t("start.reading")):  # a server that has just begun takes a while
            learned = learning.read(example.FOLDER, result, best)
            verdict.judge(result, best)
        if learned is None:  # a run without curves
            _reached(spec, result, best)
            _said(spec, result, best)
        elif narrow:  # the curves play on the first screen, under what they came to
            _reached(spec, result, best)
            player.show(learned, result)
            _said(spec, result, best)
        else:
            left, right = st.columns([1, 1], gap="large", vertical_alignment="center")
            with left:
                player.show(learned, result)
            with right:
                _reached(spec, result, best)
                _said(spec, result, best, fold=False)
            _sure(result, best)  # below both: opened in one of them it would push the other down
    if narrow:
        first_words.show(example.FOLDER, result, best)


def _reached(spec: RunSpec, result: dict[str, Any], best: int) -> None:
    """What came out: both scores, and the verdict's word."""
    from pages.ui.result import verdict
    from pages.ui.start import headline

    said = verdict.judge(result, best)
    rows = sum(result["dataset"]["rows"].values())
    st.caption(t("start.example_of", name=spec.name or result["dataset"]["name"], rows=text.exact(rows)))
    st.markdown(f"### {headline.reached(result, best)}")
    st.badge(
        t(f"runs.word.{said.word}"), color=verdict.COLOUR[said.word], icon=verdict.ICON[said.word], help=term("verdict")
    )


def _said(spec: RunSpec, result: dict[str, Any], best: int, *, fold: bool = True) -> None:
    """What that means, the ways on from here, where and when it was measured, and under a `fold` how sure it is."""
    from pages.ui.result import speed
    from pages.ui.words import in_short

    st.markdown(in_short.of(result, best))
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
    took = sum(v for v in result["seconds"].values() if isinstance(v, int | float))
    st.caption(
        t(
            "start.kept",
            hardware=speed.hardware(result),
            date=str(result["created_utc"])[:10],
            seconds=text.seconds(result["seconds"].get("total", took)),
            version=result["environment"]["torch"],
        )
    )
    if fold:
        _sure(result, best)


def _sure(result: dict[str, Any], best: int) -> None:
    """The intervals behind it, and plain models, under a fold."""
    from pages.ui.result import verdict
    from pages.ui.result.page import claims

    with st.expander(t("start.sure"), icon=":material/straighten:", key="start-sure"):
        claims(verdict.judge(result, best), result, result["students"][best])


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


main()
