"""Columns that are predicted together with the target."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.data.table import Profile
from kd_core.task import task_of
from pages.ui.data import sources
from pages.ui.shared import forms
from pages.ui.shared.text import t
from pages.ui.tasks import labels

HELD = "more_targets"
KEY = f"{sources.KEY}.{HELD}"


def counted(choices: dict[str, Any], found: Profile) -> tuple[str, int]:
    """Say what stands beside the task, and how many: targets of several, else labels or classes."""
    if found.task and task_of(found.task).target == "several":
        return "labels.targets", 1 + len(choices.get(HELD) or ())
    return ("labels.count" if labels.are_labels(found.task) else "data.classes"), len(found.classes)


def choose(choices: dict[str, Any], found: Profile) -> None:
    """Let a person add columns to the target; a change is kept and the page understood anew."""
    if found.target is None or found.candidates:
        return
    held = [n for n in choices.get(HELD) or () if n != found.target]
    taken = {found.target, choices.get("group"), choices.get("time"), choices.get("part")}
    options = [c.name for c in found.columns if c.name not in taken and c.kind != "picture"]
    label = t("labels.also_chosen", num=len(held)) if held else t("labels.also")
    with st.popover(label, icon=":material/add:", key="data-more-targets", help=t("labels.also_help")):
        forms.seed(KEY, [n for n in held if n in options])
        chosen = list(st.multiselect(t("labels.also"), options, key=KEY, help=t("labels.also_help")))
    if chosen != held:
        choices[HELD] = chosen or None
        for name in ("task", "positive"):
            choices[name] = None
            forms.forget(f"{sources.KEY}.{name}")
        st.rerun()
