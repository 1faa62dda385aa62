"""One row after another on the Data page, stepped through by button or key; of rankings one group after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from kd_core.data.table import Profile
from kd_core.task import task_of
from pages.ui.access import aids
from pages.ui.data import more_targets, pieces, row_card, sources
from pages.ui.shared import text
from pages.ui.shared.text import t
from pages.ui.tasks import ranking

KEY = f"{sources.KEY}.one_row"
NEXT, BEFORE = "N", "P"  # keys


def show(found: Profile, choices: Mapping[str, Any], stamp: str) -> None:
    """Draw the chosen row; stepping runs this part of the page alone. `stamp` is the same for the same file, read the same way."""
    if not found.num_rows:
        return
    grouped = choices.get("group") if ranking.by_order(found.task) and found.target is not None else None
    grouped = grouped if grouped in found.frame else None
    st.subheader(t("data.row.title_group" if grouped else "data.row.title"), anchor=False)
    _stepper(found, dict(choices), grouped, stamp)


@st.fragment
def _stepper(found: Profile, choices: Mapping[str, Any], grouped: str | None, stamp: str) -> None:
    names = _names(f"{stamp}|{grouped}", found.frame[grouped]) if grouped else None
    most = len(names) if names is not None else found.num_rows
    st.session_state[KEY] = min(max(1, int(st.session_state.get(KEY, 1))), most)
    phone = aids.is_narrow()  # without keys to press, and the three beside each other
    with st.container(horizontal=True, vertical_alignment="bottom", key="data-row-steps", gap="small"):
        st.button(
            t("data.row.before"),
            key="data-row-before",
            icon=":material/chevron_left:",
            shortcut=None if phone else BEFORE,
            disabled=st.session_state[KEY] == 1,
            on_click=_step,
            args=(-1, most),
        )
        label = t("data.row.number_group" if grouped else "data.row.number", of=text.exact(most))
        at = (
            int(st.number_input(label, 1, most, key=KEY, width=140 if phone else 220, help=t("data.row.number_help")))
            - 1
        )
        st.button(
            t("data.row.after"),
            key="data-row-after",
            icon=":material/chevron_right:",
            shortcut=None if phone else NEXT,
            disabled=at + 1 == most,
            on_click=_step,
            args=(1, most),
        )
    if names is not None and grouped:
        name = names[at]
        rows = found.frame[(found.frame[grouped] == name).to_numpy(bool)]
        st.html(row_card.STYLE + row_card.group(found, rows, str(name), grouped))
        return
    targets = targets_of(found, choices)
    cutter = pieces.cutter(found, stamp)
    st.html(row_card.STYLE + row_card.row(found, at, targets, cutter))
    if cutter is not None:
        looked = min(pieces.LEARNED_FROM, found.num_rows)
        st.caption(t("data.row.pieces_note", n=text.exact(looked)))


def _step(by: int, most: int) -> None:
    st.session_state[KEY] = min(max(1, int(st.session_state[KEY]) + by), most)


@st.cache_resource(max_entries=6, show_spinner=False)
def _names(key: str, _column: pd.Series) -> list[Any]:
    """List the groups in the order of their first rows."""
    return [name for name in _column.drop_duplicates().tolist() if not pd.isna(name)]


def targets_of(found: Profile, choices: Mapping[str, Any]) -> list[str]:
    """Name the columns that hold a row's answers."""
    if found.target is None or found.target not in found.frame:
        return []
    several = found.task is not None and (task_of(found.task).target == "several" or task_of(found.task).each_alone)
    more = [n for n in choices.get(more_targets.HELD) or () if n in found.frame and n != found.target]
    return [found.target, *(more if several else ())]
