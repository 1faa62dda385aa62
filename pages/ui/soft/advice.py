"""The run's own verdict in one line, and where the student that is drawn is not the model that the result advises to take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.outcome import read_outcome
from pages.ui.result import verdict as judged
from pages.ui.result.differences import Written, metric_word
from pages.ui.shared import session
from pages.ui.shared.text import Safe, t
from pages.ui.words import decision


def otherwise(found: Mapping[str, Any], index: int) -> Safe | None:
    """Tell the result's own decision where it is not for this student as its teacher taught it. Errors: KDError when the result can't be read."""
    outcome = read_outcome(found)
    if index == outcome.best and decision.as_taught(found, index):
        return None
    drawn = t("runs.decision.student", name=outcome.students[index].name)
    return t("soft_labels.not_the_one", drawn=drawn, advised=decision.of(found, outcome.best))


def verdict(found: Mapping[str, Any], index: int) -> Safe:
    """Tell the verdict of the student that is drawn, with its gain and interval; made smaller, it is that of the student before. Errors: as `otherwise`."""
    outcome = read_outcome(found)
    student, name = outcome.students[index], outcome.metric.name
    gain = student.gain[name]
    if student.untaught:
        return judged.judge(found, index).gain
    return t(
        "soft_labels.verdict_before" if found.get("compressed") else "soft_labels.verdict",
        word=t(f"runs.short.{student.verdict}"),
        gain=Written.of(name, gain).signed_amount(gain.mean),
        metric=metric_word(name),
        interval=judged.interval(outcome, student),
    )


def show(found: Mapping[str, Any], index: int) -> None:
    """Draw the line with the way to the result; nothing where the result can't tell."""
    try:
        said = [verdict(found, index), otherwise(found, index)]
    except KDError:  # the page of the result says what is wrong with it
        return
    line, way = st.columns([5, 1], vertical_alignment="center")
    line.caption(f":material/info: {' '.join(str(one) for one in said if one is not None)}")
    link = session.link(run=str(found["run_id"]))
    way.page_link("runs.py", label=t("soft_labels.to_result"), icon=":material/open_in_full:", query_params=link)
