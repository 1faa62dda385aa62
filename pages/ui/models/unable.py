"""What can't work here, with the reason in the page's words and the teachers with which it would."""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import streamlit as st

from kd_core.registry import Entry, Situation, view_title
from kd_core.task import task_of
from pages.ui.shared.text import Safe, escape, t

NAMED = 4  # teachers that are named at most


def show(offered: Collection[tuple[Entry[Any], str | None]], at: Situation | None = None) -> None:
    """List the parts that can't work with the reason, those of one reason together; several reasons are one fold away.

    `at`: what they have to fit, where the reasons are of that; else they stand as they are.
    """
    why: dict[str, list[str]] = {}
    for entry, why_not in offered:
        if why_not is not None:
            why.setdefault(escape(why_not) if at is None else _reason(entry, why_not, at), []).append(entry.title)
    where = st.expander(t("common.not_here", count=sum(map(len, why.values())))) if len(why) > 1 else st.container()
    for reason, titles in why.items():
        said = t("common.cannot", titles=" · ".join(titles), reason=Safe(reason))
        where.markdown(f":small[:gray[:material/block: {said}]]")


def _reason(entry: Entry[Any], why_not: str, at: Situation) -> Safe:
    """Say what a part needs: tasks and ways to read rows by their titles, and which teachers offered here have it."""
    from kd_core.task import TASKS

    takes = entry.facts.get("takes", ())
    if not entry.works_for(at.task):
        if entry.facts.get("because", {}).get("task"):
            return escape(why_not)
        return t("common.for_tasks", tasks=_list(TASKS.get(n).title for n in entry.tasks), task=task_of(at.task).title)
    if takes and not at.views.intersection(takes):
        rows = _list(sorted({view_title(view) for view in at.views}))
        return t("common.reads_other", views=_list(map(view_title, takes)), rows=rows)
    key, names = "would_do", teachers(entry, at, at.one_fold)
    if not names:
        key, names = "would_do_fold", teachers(entry, at, True)
    if not names:
        return escape(why_not)
    more = " …" if len(names) > NAMED else ""
    return t(f"common.{key}", reason=escape(why_not), teachers=_list(names[:NAMED]) + more)


def _list(titles: Any) -> str:
    return "; ".join(dict.fromkeys(str(title) for title in titles))


@functools.lru_cache(maxsize=4096)  # each drawing of a form asks some forty times, of every teacher there is
def teachers(entry: Entry[Any], at: Situation, one_fold: bool) -> tuple[str, ...]:
    """Name the teachers that can be chosen here and with which a part would work; none where a teacher is not what it lacks."""
    from kd_core.specs import FOLDS
    from kd_core.teachers import SOURCES
    from kd_core.teachers.base import gives

    found = []
    for source, why_not in SOURCES.offer(at):
        if why_not is None and "missing" not in source.facts:
            given = gives(source.name, 1 if one_fold else FOLDS) | ({"learning"} if "arch" in source.facts else set())
            other = replace(at, teacher_gives=frozenset(given), one_fold=one_fold)
            found += [source.title] if entry.why_not(other) is None else []
    return tuple(found)
