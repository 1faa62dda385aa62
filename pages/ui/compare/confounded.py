"""Runs that differ in the lesson and in the student at once: what differs between them is neither's alone."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import streamlit as st

from kd_core.runs.outcome import read_outcome
from pages.ui.compare import naming
from pages.ui.result.comparison import Entry
from pages.ui.shared.text import Safe, t

DATA = ("dataset.name", "dataset.target")


def caution(found: Sequence[Entry]) -> None:
    """Say it, where two runs of different T or alpha have no student in common."""
    if said := of(found):
        st.caption(f":material/info: {said}")


def of(found: Sequence[Entry]) -> Safe | None:
    """Return the sentence, which begins with the data where they differ; None where a student stands under both lessons, or where the lesson is the same."""
    runs = {e.run_id: [own for own in found if own.run_id == e.run_id] for e in found}
    for one, other in itertools.combinations(runs.values(), 2):
        apart = [n for n in naming.FIRST[1:] if {e.settings.get(n) for e in one} != {e.settings.get(n) for e in other}]
        if apart and not {_student(e) for e in one} & {_student(e) for e in other}:
            signs = Safe(" and ".join(naming.SIGNS[n] for n in apart))
            data = {tuple(e.settings.get(n) for n in DATA) for e in (*one, *other)}
            return t("compare.confounded_data" if len(data) > 1 else "compare.confounded", settings=signs)
    return None


def _student(entry: Entry) -> tuple[object, ...]:
    """Tell students apart by their architecture, and by whether a teacher taught them."""
    alone = read_outcome(entry.result).students[entry.index].alone
    return alone, *sorted((n, v) for n, v in entry.settings.items() if n.startswith("student."))
