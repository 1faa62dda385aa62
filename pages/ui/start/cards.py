"""Scenarios as cards: a picture of their data, what is asked, what it takes, and the button that runs it.

Pictures are kept beside the samples. What a run takes is estimated after everything else stands: the first estimate of
a server loads the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from kd_core.registry import Entry
from kd_core.scenarios import AREAS, default_spec
from kd_core.scenarios.cards import card as kept
from kd_core.workspace import samples
from pages.ui.access import aids
from pages.ui.data import sources
from pages.ui.runs import launch
from pages.ui.shared import session, text
from pages.ui.shared.facts import Facts
from pages.ui.shared.text import escape, plain, t

ACROSS = 4  # cards side by side
FIRST_ON_PHONE = 5  # samples; the others are one fold away
FRESH = 120  # seconds for which an estimate holds: other work of the machine comes and goes
Run = Callable[[str], None]


@st.cache_resource(max_entries=64, show_spinner=False)
def _card(name: str, folder: str, stamp: int) -> kept.Card | None:
    return kept.read(name, samples())


def card(name: str) -> kept.Card | None:
    """Return a scenario's kept card, read once; None where these samples have none."""
    path = samples() / kept.FOLDER / f"{name}.svg"
    return _card(name, str(path), path.stat().st_mtime_ns) if path.is_file() else None


@st.cache_data(max_entries=64, ttl=FRESH, show_spinner=False)
def seconds(name: str, stamp: str) -> tuple[float, float, float]:
    """Foresee how long a scenario runs here and now, as it begins and with all seeds that may be added, and how many times longer other work makes that. `stamp` tells runs of other sizes apart."""
    found = card(name)
    assert found is not None
    facts = Facts(found.rows, found.columns, found.inputs, found.outputs, (), found.task)
    spec = default_spec(name)
    begins = launch.foresee(spec, facts)
    longest = launch.most(spec, facts, begins)
    return begins.seconds, longest[1] if longest else begins.seconds, begins.busy


def show(run: Run) -> None:
    """Draw own data and all scenarios, area by area of a shop; `run` is called with the name of the one that is pressed."""
    st.subheader(t("start.or"), anchor=False)
    every = sources.scenarios()
    area = st.pills(
        t("start.area"),
        [name for name in AREAS if any(name == entry.facts["tags"][0] for entry in every)],
        key="start-area",
        format_func=escape,
        help=t("start.area_help"),
    )
    st.caption(t("start.green"))
    around = st.empty()
    shown = [entry for entry in every if area is None or area in entry.facts["tags"]]
    first = FIRST_ON_PHONE if aids.is_narrow() and area is None else len(shown)
    own, *places = _places(first + 1)
    with own, st.container(border=True, height="stretch", key="start-card-own"):
        _own()
    if more := shown[first:]:
        with st.expander(t("start.more_samples", num=len(more)), icon=":material/apps:"):
            places = [*places[:first], *_places(len(more))]
    waiting = {}
    for place, entry in zip(places, shown, strict=False):
        with place, st.container(border=True, height="stretch", key=f"start-card-{entry.name}"):
            waiting[entry.name] = _scenario(entry, run)
    _told(waiting, around)


def _places(count: int) -> list[Any]:
    """Return places for so many cards, row by row; the last row may have more."""
    return [place for _ in range(0, count, ACROSS) for place in st.columns(ACROSS, gap="small")]


def _own() -> None:
    st.markdown(f"**{t('start.own')}**")
    st.caption(t("start.own_note"))
    st.space("stretch")
    if st.button(t("start.own_button"), key="start-own", icon=":material/upload_file:"):
        sources.wait()
        session.go("data.py", data=None)


def _scenario(entry: Entry[Any], run: Run) -> Any:
    """Draw one card; return the place where its seconds will stand."""
    found = card(entry.name)
    if found is not None:
        st.image(found.svg, width="stretch", alt=alt(found))
    st.markdown(f"**{escape(entry.title)}**")
    st.caption(escape(entry.facts["story"]))
    st.space("stretch")
    place = st.empty()
    place.markdown(f":gray[:small[{_size(entry)}]]")
    if st.button(
        t("start.run_sample"), key=f"start-{entry.name}", icon=":material/play_arrow:", help=t("start.run_sample_help")
    ):
        run(entry.name)
    return place


def alt(found: kept.Card) -> str:
    """Say what a card's picture shows."""
    return plain(t(f"start.picture.{found.shows}", **found.names))


def _size(entry: Entry[Any]) -> str:
    area, *more = entry.facts["tags"]
    rows = str(t("start.rows", n=text.number(entry.facts["rows"]))).replace(" ", "\u00a0")  # stays in one line
    return escape(" · ".join([area, *more, rows]))


def _told(waiting: dict[str, Any], around: Any) -> None:
    """Say beside each scenario how long it takes here, and which is the quickest; in `around`, what other work makes of all times."""
    known = {}
    for name in waiting:
        if (found := card(name)) is not None:
            known[name] = seconds(name, f"{found.rows}-{found.outputs}-{default_spec(name).work_hash()}")
    every = {entry.name: entry for entry in sources.scenarios()}
    busy = max((times for _, _, times in known.values()), default=1.0)
    if busy >= launch.NOTICED:
        around.caption(t("start.busy", times=f"{busy:.2g}"))
    for name, (takes, most, _) in known.items():
        quick = len(known) > 1 and takes == min(known.values())[0]
        told, longest = (text.forecast(_rounded(value)) for value in (takes, most))
        said = t("start.quickest" if quick else "start.takes", seconds=told)
        if longest != told:
            said = t("start.up_to", said=said, seconds=longest)
        waiting[name].markdown(f":gray[:small[{_size(every[name])}]] · **:small[{said}]**")


def _rounded(takes: float) -> float:
    """Round to what an estimate is worth: 5 s below a minute, 10 s below three, half minutes above."""
    step = 5 if takes < 60 else 10 if takes < 180 else 30
    return max(step, step * round(takes / step))
