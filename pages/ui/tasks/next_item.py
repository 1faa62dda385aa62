"""Histories of items on the screens: strips with the newest item on the right, and lists of what may come next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from kd_core.data.histories.cells import separator_among
from kd_core.data.plain.history import items_of
from kd_core.data.plain.questions import FIRST, Questions
from kd_core.data.table import Profile
from kd_core.data.types.base import ColumnType
from kd_core.task import CATALOGUE, task_of
from pages.ui.charts import data as charts
from pages.ui.result.kept_rows import Kept
from pages.ui.shared import findings, picture, text
from pages.ui.shared.text import Safe, escape, exact, t
from pages.ui.soft import items as live
from pages.ui.try_it.models import Reply

SHOWN, LISTED = 14, 10  # newest items of a strip; places of a list
POPULAR = 10  # items of the chart
LOOKED_AT = 2000  # histories, to find what stands between items
LETTERS = 28  # of an item's name
OFFERED = 5000  # items that can be searched; others can be typed
_LENGTHS = ((1, 1), (2, 2), (3, 4), (5, 9), (10, 19), (20, 49), (50, 10**9))


def strip(items: Sequence[str], following: str | None = None) -> None:
    """Draw a history as chips, the oldest left out where there are many, and what came next behind an arrow."""
    newest = items[-SHOWN:]
    chips = [f":gray[{t('task.next_item.older', n=exact(len(items) - len(newest)))}]"] if len(items) > SHOWN else []
    chips += [f":gray-badge[{_short(item)}]" for item in newest[:-1]]
    chips += [f":blue-badge[{_short(newest[-1])}]"] if newest else [f":gray[{t('task.next_item.nothing')}]"]
    if following is not None:
        chips.append(f":material/arrow_forward: :green-badge[{_short(following)}]")
    st.markdown(" ".join(chips))


def _short(item: str) -> str:
    return escape(item if len(item) <= LETTERS else f"{item[: LETTERS - 1]}…")


def examples(found: Profile) -> None:
    """On the Data page: how long histories are, and which items are popular; one history stands among the rows above."""
    histories = [c.name for c in found.columns if c.kind == "items"]
    if not histories or found.target is None or not found.classes:
        return
    cells = found.frame[histories[0]].astype("object").fillna("")
    sign = separator_among(cells[cells != ""].astype("str").head(LOOKED_AT))  # a cell of one item doesn't tell
    with st.expander(t("task.next_item.examples"), icon=":material/linear_scale:", expanded=True):
        one, other = st.columns(2, gap="large")
        labels, counts = lengths([len(items_of(cell, sign)) for cell in cells])
        with one:
            fig = charts.distribution(labels, counts, t("task.next_item.length"), t("data.rows_axis"))
            picture.show(fig, "history-lengths", findings.of_column(str(t("task.next_item.length")), labels, counts))
        order = np.argsort(-np.array(found.class_counts), kind="stable")[:POPULAR]
        names, often = [found.classes[at] for at in order], [found.class_counts[at] for at in order]
        with other:
            fig = charts.named(names, often, t("task.next_item.popular"), t("data.rows_axis"))
            picture.show(fig, "items-popular", findings.of_column(str(t("task.next_item.popular")), names, often))
        total = max(1, sum(found.class_counts))
        told = t(
            "task.next_item.popular_note",
            n=exact(len(names)),
            items=exact(len(found.classes)),
            share=text.percent(sum(often) / total),
        )
        st.caption(told)


def lengths(counts: Sequence[int]) -> tuple[list[str], list[int]]:
    """Sort numbers of items into a few ranges."""
    found = np.asarray(counts)
    labels = [f"{low}" if low == high else f"{low}+" if high > 10**6 else f"{low}–{high}" for low, high in _LENGTHS]
    return labels, [int(((found >= low) & (found <= high)).sum()) for low, high in _LENGTHS]


def field(name: str, column: ColumnType, value: Any, key: str) -> str | None:
    """Let a person write a history, and search items that are put behind it."""
    written = st.text_input(escape(name), value=value or "", key=key, help=t("task.next_item.field_help"))
    added = st.multiselect(
        t("task.next_item.add"),
        list(column.catalogue[:OFFERED]),
        key=f"{key}.added",
        accept_new_options=True,
        placeholder=t("task.next_item.search"),
    )
    between = column.separator or " "
    items = [*items_of(written, column.separator), *added]
    strip(items)
    return between.join(items) or None


def ranked(questions: Questions, spoken: Sequence[tuple[str, Reply]], truth: Any) -> bool:
    """Lay the first items of several models side by side, the right one marked; nothing for other tasks."""
    if questions.every[0].kind != FIRST:
        return False
    names = {title: list(reply.shares.items()) for title, reply in spoken}
    lists = {
        title: [f"{'✓ ' if item == truth else ''}{item} · {text.percent(share)}" for item, share in told]
        for title, told in names.items()
    }
    _table(lists)
    if truth is not None:
        for title, told in names.items():
            places = [at for at, (item, _) in enumerate(told, 1) if item == truth]
            said = t("task.next_item.at", place=places[0]) if places else t("task.next_item.not_among")
            st.caption(f"{escape(title)}: {said}")
    return True


def _table(lists: Mapping[str, Sequence[str]]) -> None:
    """Lay lists side by side."""
    most = max((len(told) for told in lists.values()), default=0)
    columns = {
        escape(title): [escape(one) for one in told] + [""] * (most - len(told)) for title, told in lists.items()
    }
    places = [str(at) for at in range(1, most + 1)]
    st.table(pd.DataFrame(columns, index=pd.Index(places, name=str(t("task.next_item.place")))), border="horizontal")


def soft(kept: Kept, found: Mapping[str, Any], index: int, stamps: Sequence[int]) -> None:
    """On the page of soft labels: a test row's first items by teacher, baseline and student at any temperature, and the rest's mass."""
    live.show(kept, found, index, stamps)
    st.caption(t("task.next_item.soft_note"))


def of_catalogue(found: Mapping[str, Any]) -> bool:
    """Say whether a result's classes are a whole catalogue."""
    return CATALOGUE(task_of(found["task"]))


def why(what: str) -> Safe:
    """Say why a part of a result means nothing for a catalogue."""
    return t(f"task.next_item.no_{what}")
