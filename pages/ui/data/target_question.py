"""What shall be predicted, asked where no column's name says it, and how a grade is to be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from kd_core.data.table import ColumnProfile, Profile
from kd_core.errors import Problem
from kd_core.task import task_of
from pages.ui.data import sources
from pages.ui.shared import forms
from pages.ui.shared.text import Safe, escape, exact, shorten, t

NAMED = 6  # bars, at most, whose values are written below them
CODE = "target_unsure"  # the finding that is asked as a question
OF_TARGET = ["task", "positive", "one_class", "more_targets"]  # choices that belong to one target


def forget(choices: dict[str, Any]) -> None:
    """Let go of what was chosen for another target."""
    choices.update(dict.fromkeys(OF_TARGET))
    for name in OF_TARGET:
        forms.forget(f"{sources.KEY}.{name}")


def task_words(found: Profile) -> Callable[[str | None], Safe]:
    """Return how tasks are said; without a name, the one that was found."""
    auto = t("data.task_auto", task=task_of(found.task).title) if found.task else t("common.auto")
    return lambda name: auto if name is None else escape(task_of(name).title)


def ask(choices: dict[str, Any], found: Profile) -> None:
    """Ask which of the likely columns is meant, each with its values as small bars."""
    if not found.candidates:
        return
    with st.container(border=True, key="data-target-question"):
        st.markdown(f"**{t('data.ask_target')}**")
        st.caption(t("data.ask_target_note"))
        for place, name in zip(st.columns(3), found.candidates, strict=False):
            with place:
                column = found.column(name)
                _bars(escape(name), _values(column), column.histogram[1])
                st.caption(_named(column) or t("data.for_example", values=", ".join(column.examples)))
                if st.button(
                    t("data.predict_this", column=shorten(name)), key=f"data-candidate-{name}", width="stretch"
                ):
                    choices["target"] = name
                    forget(choices)
                    forms.forget(f"{sources.KEY}.target")
                    st.rerun()


def open_findings(found: Profile) -> list[Problem]:
    """Return what is listed openly; what is asked as a question stands above already."""
    said = CODE if found.candidates else None
    return [p for p in found.problems if p.severity != "note" and p.code != said]


def readings(choices: dict[str, Any], found: Profile) -> None:
    """Offer both readings of whole numbers with many ordered values: classes, or a number."""
    if (
        not found.readings
        or found.target is None
        or found.candidates
        or choices.get("task")
        or choices.get("one_class")
    ):
        return
    column = found.column(found.target)
    with st.container(border=True, key="data-readings"):
        st.markdown(t("data.two_readings", column=column.name))
        for place, task in zip(st.columns(2), found.readings, strict=True):
            with place:
                target = task_of(task).target
                value = _range(column) if target == "number" else t("data.many_classes", n=exact(column.distinct))
                _bars(t(f"data.reading_{target}"), value, column.histogram[1], "area" if target == "number" else "bar")
                st.caption(t(f"data.reading_{target}_note"))
                taken = found.task == task
                label = t("data.reading_taken") if taken else t("data.reading_take")
                icon = ":material/check:" if taken else None
                if st.button(label, key=f"data-reading-{task}", icon=icon, width="stretch"):
                    forget(choices)
                    choices["task"] = task
                    st.rerun()


def _bars(label: str, value: str, counts: tuple[int, ...], kind: Any = "bar") -> None:
    st.metric(label, value, chart_data=list(counts), chart_type=kind, border=True)


def _values(column: ColumnProfile) -> str:
    if column.kind == "number":
        return _range(column)
    return str(t("data.many_values", n=exact(column.distinct)))


def _named(column: ColumnProfile) -> Safe | None:
    """Say which value each bar is, of so few that nothing else tells them apart; None where there are more."""
    labels, counts = column.histogram
    if not labels or len(labels) > NAMED or column.distinct != len(labels):
        return None
    bars = [t("data.bar", value=label, rows=exact(count)) for label, count in zip(labels, counts, strict=True)]
    return t("data.bars", bars=Safe(", ".join(bars)))


def _range(column: ColumnProfile) -> str:
    return str(t("data.range", low=exact(column.minimum), high=exact(column.maximum)))
