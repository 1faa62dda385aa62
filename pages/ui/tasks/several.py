"""The tasks of a row on a result page: each by its own metric, with its own word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from kd_core.runs.settings.untaught import own_baseline
from kd_core.task import task_of
from pages.ui.access import cards
from pages.ui.result import differences
from pages.ui.shared import text
from pages.ui.shared.text import escape, t


def show(found: Mapping[str, Any], index: int) -> None:
    """Draw the table of tasks, and all metrics of the one that is chosen; nothing where a row has one target."""
    tasks = found["students"][index].get("tasks") or ()
    if not tasks:
        return
    st.markdown(f"**{t('task.several.title')}**")
    frame = table(tasks)
    if own_baseline(found["students"][index]):  # nothing to compare
        frame = frame.drop(columns=[str(t("task.several.gain")), str(t("task.several.word"))])
    with st.container(key="tasks-table"):
        st.table(frame.set_index(frame.columns[0]), border="horizontal")
    st.caption(t("task.several.note"))
    with st.expander(t("task.several.more"), icon=":material/table_rows:"):
        names = [one["name"] for one in tasks]
        chosen = st.selectbox(t("task.several.which"), names, format_func=text.option, key=f"task.several.{index}")
        cards.table(metrics(tasks[names.index(chosen)]), hide_index=True, height="content", alt=t("task.several.more"))


def table(tasks: Any) -> pd.DataFrame:
    """Lay the tasks out: metric, the three arms, what was gained with its interval, and the word."""
    from kd_core.runs.cells.tasks_inside import mean  # loads torch

    arms = differences.arm_names()
    columns = [
        t("task.several.target"),
        t("task.several.kind"),
        t("task.several.metric"),
        *(arms[a] for a in ("teacher", "baseline", "student")),
        t("task.several.gain"),
        t("task.several.word"),
    ]
    lines = []
    for one in tasks:
        scores = [text.score(mean(one, side)) for side in ("teacher", "baseline", "student")]
        arrow = " ↓" if one["better"] == "lower" else ""
        word = str(t(f"task.several.word_{one['verdict']}"))
        lines.append(
            [
                escape(one["name"]),
                task_of(one["task"]).title,
                f"{differences.metric_title(one['metric'])}{arrow}",
                *scores,
                gained(one),
                f"{word} ({t('task.several.small')})" if one["small"] else word,
            ]
        )
    return pd.DataFrame(lines, columns=[str(c) for c in columns])


def gained(one: Mapping[str, Any]) -> str:
    """Write a task's gain with the interval that holds for all tasks together."""
    if one["gain"] is None:
        return "–"
    return differences.told(one["metric"], one["gain"]["mean"], *one["ci_family"])


def metrics(one: Mapping[str, Any]) -> pd.DataFrame:
    """Lay out every metric of one task."""
    arms = differences.arm_names()
    sides = [side for side in ("teacher", "baseline", "student") if side in one["metrics"]]
    return pd.DataFrame(
        [
            {
                str(t("task.several.metric")): differences.metric_title(name),
                **{arms[side]: text.score(one["metrics"][side][name]["mean"]) for side in sides},
            }
            for name in one["metrics"]["student"]
        ]
    )
