"""The form: chains of steps or a search for them, the goals, what it will take, and the button that starts it."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.registry import Entry
from kd_core.requests.compress_spec import CompressSpec
from kd_core.runs.outcome import read_outcome
from kd_core.runs.store.folder import MODEL, RunFolder
from kd_core.specs import Choice, RunSpec
from pages.ui.compress import boxes, chains, cloned, rounding
from pages.ui.compress.chains import Chain, Step, Steps
from pages.ui.data import understanding
from pages.ui.goals import kept
from pages.ui.goals.candidates import Goals
from pages.ui.lesson import method
from pages.ui.models import unable
from pages.ui.result import differences
from pages.ui.runs import launch
from pages.ui.shared import engine, forms, text
from pages.ui.shared.text import Safe, escape, t, term

WAYS = ("chains", "search")
GOALS = ("most_lost", "bytes", "microseconds")
MOST_CHAINS = 8  # on the page; a recipe may hold more
MOST_STEPS = 8
KB = 1024


def show(folder: RunFolder, student: str) -> None:
    """Draw the form for one student of a run, as long as it can be made smaller."""
    key = f"compress.{folder.id}.{student}"
    try:
        with st.spinner(t("compress.reading")):
            offered = steps_of(folder, student)
        spec_of(folder, student, (), {})  # what keeps this run from being made smaller is said before a chain is built
    except KDError as error:
        if error.code == "compress_trees":  # nothing went wrong: there is nothing to do
            st.info(f"{escape(error.message)} {escape(error.hint)}", icon=":material/block:")
        else:
            text.show_error(error)
        return
    possible = {entry.name: entry for entry, why_not in offered if why_not is None}
    if not possible:
        st.info(t("compress.nothing"), icon=":material/block:")
        unable.show(offered)
        return
    cloned.fill(key, folder.id, student, possible)
    idle = rounding.idle(folder, student)
    if said := rounding.no_smaller(folder, student, offered):
        st.info(said, icon=":material/block:")
    way = st.segmented_control(
        t("compress.way"),
        WAYS,
        format_func=lambda w: t(f"compress.ways.{w}"),
        key=forms.seed(f"{key}.way", WAYS[0]),
        help=t("compress.way_help"),
        required=True,
    )
    asked: list[list[dict[str, Any]]] = []
    more: dict[str, Any] = {}
    if way == "search":
        st.caption(t("compress.search_note"))
        more = forms.form(CompressSpec, {}, key, only=("minutes",))
    else:
        asked = build(key, student, possible, idle)
    unable.show(offered)
    st.markdown(f"##### {t('compress.goals.title')}", help=t("compress.goals.help"))
    finish(folder, student, asked, {**more, **goals(folder, student, key)}, searched=way == "search", key=key)


@functools.lru_cache(maxsize=8)
def _offered(path: Path, changed_ns: int, run: str, student: str) -> list[tuple[Entry[Any], str | None]]:
    from kd_core.compress.offering import offered

    return offered(run, student)


def steps_of(folder: RunFolder, student: str) -> list[tuple[Entry[Any], str | None]]:
    """Pair every step with why this student can't take it; looked at once for each state of the run. Errors: as `offering.offered`."""
    return _offered(folder.path, (folder.path / MODEL).stat().st_mtime_ns, folder.id, student)


def spec_of(
    folder: RunFolder, student: str, asked: Sequence[Sequence[dict[str, Any]]], more: dict[str, Any]
) -> RunSpec:
    """Make the recipe; without chains they are searched. Errors: as `asked.spec_of`."""
    from kd_core.runs.compressing import asked as asking  # brings torch along

    named = [[Choice.model_validate(step) for step in chain] for chain in asked]
    return asking.spec_of(folder.id, student=student, chains=named, **more)


def foreseen(spec: RunSpec) -> tuple[Safe, Safe, Safe]:
    """Say how long it takes, the same in brief, and what that is made from."""
    from kd_core.runs import estimate
    from kd_core.runs.compressing import check, foreseen

    facts = understanding.facts(engine.library().save_spec(spec.dataset), spec.dataset)
    around = estimate.circumstances(spec, estimate.training_rows(spec.dataset, facts.rows, facts.parts))
    asks = check.first_that_learns(spec) is not None
    found = foreseen.foresee(spec, facts.rows, facts.inputs, facts.outputs, around, asks=asks)
    small = spec.compress
    assert small is not None
    if not small.chains:
        searched = t("compress.time_searched", minutes=f"{small.minutes:g}")
        return searched, t("compress.time_searched_brief", minutes=f"{small.minutes:g}"), launch.reasons(found)
    steps = sum(map(len, small.chains))
    about = {"steps": steps, "seeds": spec.training.seeds_at_first, "time": launch.time(found)}
    return t("compress.time", **about), launch.brief(found), launch.reasons(found)


def build(key: str, student: str, possible: Steps, idle: Mapping[str, tuple[int, int]]) -> list[list[dict[str, Any]]]:
    """Draw the chains, and return them as plain steps; one without steps is left out. What is `idle` is not proposed, and says so where it is chosen."""
    place = f"{key}.chains"
    worth = {name: entry for name, entry in possible.items() if name not in idle}
    every = chains.held(place, worth)
    asked = [_chain(place, one, number, student, possible, idle) for number, one in enumerate(every)]
    free = [name for name in chains.PRESETS if chains.fits(name, worth)]
    if idle:
        titles = " · ".join(possible[name].title for name in idle if name in possible)
        st.markdown(f":small[:gray[:material/block: {t('compress.idle', titles=titles, student=student)}]]")
    if len(every) < MOST_CHAINS:
        with st.container(horizontal=True, gap="small", key="compress-presets"):
            for name in free:
                label = t(f"compress.preset.{name}")
                st.button(
                    label,
                    key=f"compress-add-{name}",
                    icon=":material/add:",
                    help=t("compress.preset_help"),
                    on_click=chains.add,
                    args=(place, chains.PRESETS[name]),
                )
            st.button(
                t("compress.preset.empty"),
                key="compress-add-empty",
                icon=":material/add:",
                help=t("compress.preset_empty_help"),
                on_click=chains.add,
                args=(place, ()),
            )
    return [steps for steps in asked if steps]


def _chain(
    place: str, chain: Chain, number: int, student: str, possible: Steps, idle: Mapping[str, tuple[int, int]]
) -> list[dict[str, Any]]:
    with st.container(border=True, key=f"chain-form-{number}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{t('compress.chain', number=number + 1)}**", width="content")
            st.button(
                t("compress.remove_chain"),
                key=f"compress-drop-{chain.id}",
                type="tertiary",
                icon=":material/close:",
                on_click=chains.remove,
                args=(place, chain.id),
            )
        with boxes.row(f"chain-steps-{number}"):
            with boxes.box(f"chain-start-{number}"):
                st.markdown(f"**{escape(student)}**")
                st.caption(t("compress.as_it_was"))
            asked = []
            for step in chain.steps:
                with boxes.linked(f"link-{step.id}"), boxes.box(f"step-{step.id}", boxes.FORM_WIDTH):
                    asked.append(_step(chain, step, possible[step.name], idle.get(step.name)))
            if len(chain.steps) < MOST_STEPS:
                with boxes.linked(f"link-more-{chain.id}"):
                    _more(chain, possible)
    return asked


def _step(chain: Chain, step: Step, entry: Entry[Any], idle: tuple[int, int] | None) -> dict[str, Any]:
    st.markdown(f"**{escape(entry.title)}**")
    if idle:
        with_it, whole = map(text.exact, idle)
        word = t(f"compress.idle_{'larger' if idle[0] >= idle[1] else 'hardly'}", size=with_it, whole=whole)
        st.markdown(f":small[:orange[:material/warning: {word}]]")
    settings = _settings(entry, step)
    with st.container(horizontal=True, gap="small"):
        method.explain(entry)
        st.button(
            t("compress.remove_step"),
            key=f"compress-drop-{step.id}",
            type="tertiary",
            icon=":material/close:",
            on_click=chains.drop,
            args=(chain, step.id),
        )
    return {"name": step.name, "settings": forms.changed(entry.spec, settings, step.settings)}


def _settings(entry: Entry[Any], step: Step) -> dict[str, Any]:
    """Draw the first setting, which says how much; the others are one fold away, so that a box stays a box."""
    names, key = list(entry.spec.model_fields), f"compress.step.{step.id}"
    settings = forms.form(entry.spec, step.settings, key, only=names[:1], fold=False)
    if names[1:]:
        with st.expander(t("common.advanced"), icon=":material/tune:", key=f"{key}.more"):
            settings |= forms.form(entry.spec, step.settings, key, only=names[1:], fold=False)
    return settings


def _more(chain: Chain, possible: Steps) -> None:
    """Offer another step."""
    key = f"compress-more-{chain.id}"

    def take() -> None:
        name = st.session_state[key]
        if name is not None:
            chains.put(chain, name, possible)
            st.session_state[key] = None

    st.selectbox(
        t("compress.add_step"),
        list(possible),
        index=None,
        format_func=lambda n: possible[n].title,
        key=key,
        on_change=take,
        placeholder=t("compress.add_step_hint"),
        help=" ".join(
            [t("compress.add_step_help"), term("pruning"), term("low_rank"), term("quantisation"), term("int8")]
        ),
        width=boxes.WIDTH,
    )


def goals(folder: RunFolder, student: str, key: str) -> dict[str, Any]:
    """Let the person say what may be lost, and how large and slow it may be; what was asked for on Compare, or of the run, is taken over. Bytes are asked for in KB."""
    left, middle, right = st.columns(3)
    info = CompressSpec.model_fields
    low, high = forms.bounds(info["most_lost"])
    found = folder.result() or {}
    asked_before = kept.kept(kept.data_of(engine.store().get(folder.id)), found)
    may_lose = room(found, student, asked_before)
    relative = "_percent" if (found.get("metric") or {}).get("relative") else ""
    lost = left.number_input(
        t(f"compress.goals.most_lost{relative}"),
        None if low is None else float(low),
        None if high is None else float(high),
        None,
        step=0.1,
        format="%.4g",
        placeholder=f"{info['most_lost'].default:g}",
        key=forms.seed(f"{key}.most_lost", may_lose or float(info["most_lost"].default)),
        help=forms.help_text(info["most_lost"]),
    )
    size, time = asked_before.most.get("size"), asked_before.most.get("latency")
    in_kb = None if size is None else float(f"{size / KB:.4g}")
    in_us = None if time is None else float(f"{1000 * time:.4g}")
    kb = middle.number_input(
        t("compress.goals.bytes"),
        0.1,
        None,
        None,
        step=1.0,
        format="%.4g",
        key=forms.seed(f"{key}.kb", in_kb),
        help=forms.help_text(info["bytes"]),
        placeholder=t("compress.goals.any"),
    )
    micro = right.number_input(
        t("compress.goals.microseconds"),
        0.1,
        None,
        None,
        step=1.0,
        format="%.4g",
        key=forms.seed(f"{key}.us", in_us),
        help=forms.help_text(info["microseconds"]),
        placeholder=t("compress.goals.any"),
    )
    taken = {"lost": (lost, may_lose), "kb": (kb, in_kb), "us": (micro, in_us)}
    known = [own == asked for own, asked in taken.values() if asked is not None]
    if known and all(known):  # what was changed here is the person's own
        st.caption(t(f"compress.goals.taken{relative}"))
    asked: dict[str, Any] = {"most_lost": lost if lost is not None else float(info["most_lost"].default)}
    asked |= {"bytes": round(kb * KB)} if kb is not None else {}
    return asked | ({"microseconds": micro} if micro is not None else {})


def room(found: Mapping[str, Any], student: str, asked: Goals) -> float | None:
    """Return the points (of errors percent) between a student and the worst score asked for; None where none was, or it is worse already."""
    own = next((one.arm.mean(asked.metric) for one in read_outcome(found).students if one.name == student), None)
    if asked.worst is None or own is None or asked.metric != found["metric"]["name"]:
        return None
    left = (asked.worst - own) if differences.lower_is_better(asked.metric) else own - asked.worst
    scale = abs(own) if found["metric"].get("relative") else 1.0
    points = math.floor(1e4 * left / scale + 1e-6) / 100 if scale else 0.0  # never more than was asked for
    return min(points, 100.0) if points > 0 else None


def finish(
    folder: RunFolder, student: str, asked: Sequence[Any], more: dict[str, Any], *, searched: bool, key: str
) -> None:
    """Say how long it takes, offer what was made of exactly this before, and draw the button."""
    spec, said, brief, why = None, t("compress.no_chain"), None, None
    if asked or searched:
        try:
            spec = spec_of(folder, student, asked, more)
            said, brief, why = foreseen(spec)
        except KDError as error:
            text.show_error(error)
            said = t("distill.blocked")
    launch.row(
        "compress",
        "runs.py",
        spec,
        said,
        brief,
        start_label=t("compress.start_search" if searched else "compress.start"),
        icon=":material/compress:",
        help=why,
    )
