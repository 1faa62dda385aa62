"""The caution about runs whose cells got more seeds after somebody had looked: said wherever such a run is compared."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.settings.added import Added
from kd_core.runs.store.rows import RunRow
from kd_core.runs.store.runs import RunStore
from pages.ui.shared import text
from pages.ui.shared.text import t


def caution(store: RunStore, rows: Sequence[RunRow]) -> None:
    """Name the runs that seeds were added to by "Is it luck?", and what that does to their words."""
    for row in rows:
        try:
            rounds = Added.of(store.folder(row.id)).rounds
        except KDError as error:
            text.show_error(error)
            continue
        if rounds:
            seeds = sum(len(r.seeds) for r in rounds)
            st.warning(t("compare.added", run=row.name or row.id, seeds=seeds), icon=":material/casino:")
