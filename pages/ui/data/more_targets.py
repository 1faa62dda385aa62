"""Columns that are predicted together with the target."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from kd_core.data.table import Profile
from kd_core.errors import KDError
from kd_core.task import TASKS, kind_of, task_of
from pages.ui.data import sources
from pages.ui.shared import forms
from pages.ui.shared.text import escape, t
from pages.ui.tasks import labels

HELD = "more_targets"
KEY = f"{sources.KEY}.{HELD}"
ACROSS = 4  # targets side by side


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


def tasks(choices: dict[str, Any]) -> list[str | None]:
    """List the tasks that can be chosen; None: the one that is found. One that holds tasks of several targets stays as it is."""
    held = choices.get("task")
    return [None, *TASKS.names(), *([held] if held and held not in TASKS.names() else [])]


def asked(choices: dict[str, Any]) -> dict[str, str]:
    """Return the kinds that a person chose for single targets, by their names."""
    try:
        task = task_of(choices.get("task") or "")
    except KDError:
        return {}
    heads = {head.name: head.task for head in getattr(task, "heads", ())}  # what a kept dataset says of each
    return heads | dict(getattr(task, "asked", ()))


def alone() -> list[str]:
    """Name the kinds that a target can have beside others."""
    return [n for n in TASKS.names() if task_of(n).target in ("classes", "number") and not _needs_others(n)]


def _needs_others(name: str) -> bool:
    task = task_of(name)
    return task.by_group or task.by_history


def kinds(choices: dict[str, Any], found: Profile) -> None:
    """Let a person choose what each of several targets is; a change is kept and the page understood anew."""
    several = _several(choices, found)
    if several is None or found.target is None:
        return
    told = {head.name: head.task for head in getattr(task_of(found.task), "heads", ())} if found.task else {}
    names = [found.target, *(n for n in choices.get(HELD) or () if n != found.target)]
    wanted = {name: kind for name, kind in asked(choices).items() if name in names}
    with st.container(border=True, key="data-heads"):
        st.markdown(f"**{t('data.heads.title')}**")
        st.caption(t("data.heads.note"))
        chosen = {}
        for place, name in zip(_places(len(names)), names, strict=True):
            with place:
                chosen[name] = _kind(name, told.get(name), wanted.get(name))
    now = {name: kind for name, kind in chosen.items() if kind is not None}
    if now != wanted:
        choices["task"] = f"{several}:{json.dumps(now, ensure_ascii=False)}" if now else several
        forms.forget(f"{sources.KEY}.task")
        st.rerun()


def _several(choices: dict[str, Any], found: Profile) -> str | None:
    """Name the task that holds several, where it was found or asked for: a wish that can't be met must not close its own form."""
    for name in (found.task, choices.get("task")):
        if name and kind_of(name) in TASKS.names() and task_of(kind_of(name)).target == "several":
            return kind_of(name)
    return None


def _places(count: int) -> list[Any]:
    return [place for _ in range(0, count, ACROSS) for place in st.columns(ACROSS)][:count]


def _kind(name: str, found: str | None, wanted: str | None) -> str | None:
    """Draw the list of one target; None: as it was found."""
    options = [None, *alone()]
    key = forms.seed(f"{KEY}.kind.{name}", wanted if wanted in options else None)
    auto = t("data.heads.auto", task=task_of(found).title) if found and wanted is None else t("common.auto")
    return st.selectbox(
        escape(name),
        options,
        key=key,
        format_func=lambda kind: auto if kind is None else task_of(kind).title,
        placeholder=auto,
    )
