"""Controls that mend a finding, drawn where the finding is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from kd_core.data.table import Profile, Table
from kd_core.errors import Problem
from pages.ui.data import reading, sources
from pages.ui.shared import forms
from pages.ui.shared.text import t

Control = Callable[[Problem, Profile, dict[str, Any], str], None]


def offers(found: Problem) -> bool:
    """Say whether a finding has a control of its own."""
    return found.code in _CONTROLS


def draw(found: Problem, profile: Profile, choices: dict[str, Any], place: str) -> None:
    """Draw the control of a finding; a change is kept and the page understood anew."""
    _CONTROLS[found.code](found, profile, choices, place)


def _first_row(found: Problem, profile: Profile, choices: dict[str, Any], place: str) -> None:
    """Names or values, and names to paste."""
    held = Table(profile.frame, "", header=profile.header)
    reading.keep(choices, reading.first_row(choices, held, place))


def _missing_words(found: Problem, profile: Profile, choices: dict[str, Any], place: str) -> None:
    """One switch a column: are these words missing cells, or values?"""
    known = {c.name: c for c in profile.columns}
    chosen = dict(choices.get("missing") or {})
    always = []
    for name in found.values["columns"]:
        if known[name].kind in ("number", "datetime"):
            always.append(name)
            continue
        now = chosen.get(name, found.code == "missing_words")
        answer = st.toggle(
            t("data.missing_in", column=name),
            value=now,
            key=f"{sources.KEY}.missing.{place}.{name}.{now}",
            help=t("data.missing_help"),
        )
        if answer != now:
            choices["missing"] = {**chosen, name: answer}
            st.rerun()
    if always:
        st.caption(t("data.missing_always", columns=", ".join(always)))


def _rare(found: Problem, profile: Profile, choices: dict[str, Any], place: str) -> None:
    """Leave rows of rare classes out, merge the classes, or predict one class against the rest."""
    classes = list(found.values["classes"])
    held = "one" if choices.get("one_class") else choices.get("rare") or "refuse"
    key = f"{sources.KEY}.rare.{place}.{held}"
    way = st.radio(
        t("data.rare_classes"),
        ["refuse", "drop", "merge", "one"],
        key=forms.seed(key, held),
        format_func=lambda v: str(t(f"data.rare_{v}")),
    )
    one = choices.get("one_class")
    if way == "one":
        one = st.selectbox(
            t("data.one_class"),
            classes,
            index=classes.index(one) if one in classes else 0,
            key=f"{sources.KEY}.one.{place}",
        )
        if not st.button(t("data.one_class_take", name=str(one)), key=f"{sources.KEY}.one-take.{place}"):
            return
    wanted = {"rare": "refuse" if way == "one" else way, "one_class": one if way == "one" else None}
    if wanted != {"rare": choices.get("rare") or "refuse", "one_class": choices.get("one_class")}:
        choices.update(wanted, positive=None, task=None)
        for name in ("positive", "task"):
            forms.forget(f"{sources.KEY}.{name}")
        st.rerun()


def _rare_labels(found: Problem, profile: Profile, choices: dict[str, Any], place: str) -> None:
    """Leave rare labels out, or merge them; their rows stay."""
    held = choices.get("rare") or "refuse"
    way = st.radio(
        t("labels.rare"),
        ["refuse", "drop", "merge"],
        key=forms.seed(f"{sources.KEY}.rare.{place}.{held}", held),
        format_func=lambda v: str(t(f"labels.rare_{v}")),
    )
    if way != held:
        choices["rare"] = way
        st.rerun()


def _over_time(found: Problem, profile: Profile, choices: dict[str, Any], place: str) -> None:
    """Split by the date, so that all test rows are newer than what was learned from."""
    if st.button(t("data.split_by", column=str(found.column)), key=f"{sources.KEY}.split-by.{place}"):
        choices["time"] = found.column
        forms.forget(f"{sources.KEY}.time")
        st.rerun()


_CONTROLS: dict[str, Control] = {
    "header_missing": _first_row,
    "header_doubtful": _first_row,
    "missing_words": _missing_words,
    "missing_words_kept": _missing_words,
    "small_class": _rare,
    "rare_classes": _rare,
    "against_rest": _rare,
    "small_label": _rare_labels,
    "rare_labels": _rare_labels,
    "random_over_time": _over_time,
    "too_many_labels": _rare_labels,
}
