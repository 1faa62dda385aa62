"""One target of a row that has several, looked at as if it were the only one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from kd_core.task import IN_PARTS, task_of
from pages.ui.result.kept_rows import Kept
from pages.ui.shared.text import escape, t


def choose(kept: Kept, found: Mapping[str, Any], index: int, key: str) -> tuple[Kept, Mapping[str, Any]]:
    """Let a person choose one target, and return rows and result as those of a run of it alone; of one target as they are."""
    task = task_of(found["task"])
    if not IN_PARTS(task):
        return kept, found
    every = task.questions("", ())
    names = [one[0] for one in every]
    chosen = st.segmented_control(
        t("task.several.which"), names, default=names[0], required=True, format_func=escape, key=f"{key}.target"
    )
    return one_target(kept, found, index, names.index(chosen) if chosen in names else 0)


def one_target(kept: Kept, found: Mapping[str, Any], index: int, at: int) -> tuple[Kept, Mapping[str, Any]]:
    """Take the rows that know a target, its slice of the logits, and what the result says of it."""
    task = task_of(found["task"])
    name, _, start, end, classes = task.questions("", ())[at]
    labels = np.asarray(kept.labels, np.float64)[:, at]
    rows = np.flatnonzero(~np.isnan(labels))
    own = labels[rows].astype(np.int64) if classes else labels[rows]
    logits = {arm: z[rows, start:end] for arm, z in kept.logits.items()}
    told = replace(kept, row_ids=kept.row_ids[rows], labels=own, logits=logits, rows=kept.rows.iloc[rows])
    scale = {side: float(np.atleast_1d(found["artifacts"][side])[at]) for side in ("target_mean", "target_std")}
    inside = found["students"][index]["tasks"][at]
    follows = inside.get("fidelity") or {}
    student = {**found["students"][index], "fidelity": follows.get("student")}
    student["baseline"] = {**student["baseline"], "fidelity": follows.get("baseline")}
    students = [student if i == index else one for i, one in enumerate(found["students"])]
    return told, {
        **found,
        "students": students,
        "task": inside["task"],
        "dataset": {**found["dataset"], "classes": list(classes), "target": name},
        "artifacts": {**found["artifacts"], **scale},
    }
