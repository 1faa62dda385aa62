"""What to time and how: the form of the latency lab."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.machine.processor import cores
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.kept_as import taken_as
from kd_core.runs.timing.asked import LatencySpec
from kd_core.runs.timing.listed import Listed, listed
from pages.ui.result import differences
from pages.ui.shared import engine, forms
from pages.ui.shared.text import Safe, escape, t

BATCHES = (1, 8, 32, 128, 256, 1024)
USUAL_BATCHES, USUAL_RUNTIMES = (1, 32, 256), ("onnxruntime", "torch")
RUNTIMES = ("onnxruntime", "torch", "compile")
MOST_CHOSEN = 8  # models at first: more make a session long
THREADS = 8  # offered at most


def models(folders: Sequence[RunFolder], names: Mapping[str, str]) -> list[Listed]:
    """List the models of runs, by the names that runs have on pages; a run that has none is told on the page."""
    found: list[Listed] = []
    for folder in folders:
        try:
            found += [replace(one, run_name=names[folder.id]) for one in listed(folder)]
        except KDError as error:
            st.caption(f":material/info: {escape(str(error))}")  # an older run has none; the comparison stands without
    return found


def labels(found: Sequence[Listed]) -> dict[str, str]:
    """Name models by their ids; those of several runs that are called alike with their run."""
    short = [label(one, False) for one in found]
    return {one.id: label(one, short.count(name) > 1) for one, name in zip(found, short, strict=True)}


def label(one: Listed, several: bool) -> str:
    """Name a model by its part and name, with its run where that is asked for."""
    name = one.name
    if one.role == "teacher":
        name = engine.part_title("teacher", name)
    elif one.role == "plain":
        name = differences.plain_label(name.removeprefix(taken_as("")))
    said = f"{name} ({t(f'latency.role.{one.role}')})"
    return f"{said} · {one.run_name}" if several else said


def usual(found: Sequence[Listed]) -> list[str]:
    """Choose models at first: those that the comparison is about, of each run in turn, as many as a session takes well."""
    runs = dict.fromkeys(one.run for one in found)
    turns = itertools.zip_longest(*([one.id for one in found if one.run == run] for run in runs))
    first = [name for turn in turns for name in turn if name is not None][:MOST_CHOSEN]
    return [one.id for one in found if one.id in first]


def _follow(found: Sequence[Listed]) -> None:
    """Let the chosen models follow the runs: those of runs that are gone go, those that are usual of runs that came are added."""
    runs = list(dict.fromkeys(one.run for one in found))
    before, known = st.session_state.get("latency-seen", (runs, ()))  # a widget loses what is called otherwise now
    if "latency-models" not in st.session_state or not set(before) & set(runs):
        forms.put("latency-models", usual(found))
    elif before != runs:
        came = [one for one in found if one.run not in before]
        wanted = {*known, *(one for one in usual(found) if one in {c.id for c in came})}
        forms.put("latency-models", [one.id for one in found if one.id in wanted])
    forms.seed("latency-models", ())


def form(found: Sequence[Listed]) -> LatencySpec | None:
    """Let the person choose; return what is asked, None where something is missing, which is then said beside the button."""
    names = labels(found)
    by_id = {one.id: one for one in found}
    _follow(found)
    chosen = st.multiselect(
        t("latency.models"),
        list(by_id),
        format_func=lambda name: names[name],
        key="latency-models",
        help=t("latency.models_help"),
        placeholder=t("latency.models_hint"),
    )
    st.session_state["latency-seen"] = (list(dict.fromkeys(one.run for one in found)), tuple(chosen))
    left, middle, right = st.columns([4, 4, 2])
    runtimes = left.pills(
        t("latency.runtimes"),
        RUNTIMES,
        default=USUAL_RUNTIMES,
        selection_mode="multi",
        format_func=lambda name: t(f"latency.runtime.{name}"),
        key="latency-runtimes",
        help=t("latency.runtimes_help"),
    )
    batches = middle.pills(
        t("latency.batches"),
        BATCHES,
        default=USUAL_BATCHES,
        selection_mode="multi",
        format_func=lambda n: f"{n:,}",
        key="latency-batches",
        help=t("latency.batches_help"),
    )
    offered = range(1, min(THREADS, cores()) + 1)
    threads = right.pills(
        t("latency.threads"),
        list(offered),
        default=[1],
        selection_mode="multi",
        key="latency-threads",
        help=t("latency.threads_help"),
    )
    more: dict[str, Any] = {}
    with st.expander(t("latency.more")):
        one, two, three = st.columns(3)
        more["rounds"] = int(
            one.number_input(t("latency.rounds"), 3, 200, 10, key="latency-rounds", help=t("latency.rounds_help"))
        )
        more["seconds"] = float(
            two.number_input(t("latency.limit"), 5, 3600, 60, key="latency-limit", help=t("latency.limit_help"))
        )
        more["starts"] = int(
            three.number_input(t("latency.starts"), 0, 20, 3, key="latency-starts", help=t("latency.starts_help"))
        )
        cuda = one.toggle(t("latency.cuda"), key="latency-cuda", help=t("latency.cuda_help"))
        more["devices"] = ["cpu", "cuda"] if cuda else ["cpu"]
        more["again"] = two.toggle(t("latency.again"), key="latency-again", help=t("latency.again_help"))
    if not (chosen and runtimes and batches and threads):
        return None
    runs = dict.fromkeys(by_id[name].run for name in chosen)
    return LatencySpec.parse(
        {"runs": list(runs), "models": chosen, "runtimes": runtimes, "batches": batches, "threads": threads, **more}
    )


def missing() -> Safe:
    """Say what the button waits for."""
    return t("latency.nothing_chosen")


def names_of(told: Sequence[Mapping[str, Any]]) -> dict[str, Safe]:
    """Name the models of a session by their ids."""
    fields = ("id", "run", "run_name", "role", "name")
    return {
        name: escape(said) for name, said in labels([Listed(**{f: one[f] for f in fields}) for one in told]).items()
    }
