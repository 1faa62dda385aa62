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
    if not IN_PARTS(task_of(found["task"])):
        return kept, found
    return one_target(kept, found, index, _which(found, key))


def one_target(kept: Kept, found: Mapping[str, Any], index: int, at: int) -> tuple[Kept, Mapping[str, Any]]:
    """Take the rows that know a target, its slice of the logits, and what the result says of it."""
    task = task_of(found["task"])
    _, _, start, end, classes = task.questions("", ())[at]
    labels = np.asarray(kept.labels, np.float64)[:, at]
    rows = np.flatnonzero(~np.isnan(labels))
    own = labels[rows].astype(np.int64) if classes else labels[rows]
    logits = {arm: z[rows, start:end] for arm, z in kept.logits.items()}
    told = replace(kept, row_ids=kept.row_ids[rows], labels=own, logits=logits, rows=kept.rows.iloc[rows])
    scale = {side: float(np.atleast_1d(found["artifacts"][side])[at]) for side in ("target_mean", "target_std")}
    return told, {**of_result(found, index, at), "artifacts": {**found["artifacts"], **scale}}


def of_result(found: Mapping[str, Any], index: int, at: int) -> dict[str, Any]:
    """Take what a result says of one target, in the shape of a result that has no other."""
    name, *_, classes = task_of(found["task"]).questions("", ())[at]
    inside = found["students"][index]["tasks"][at]
    own = {side: {**told, "metrics": inside["metrics"].get(side, {})} for side, told in inside.get("sides", {}).items()}
    student = {**found["students"][index], **own.get("student", {})}
    student["baseline"] = {**student["baseline"], **own.get("baseline", {})}
    teacher = dict(own.get("teacher", {"metrics": {}}))
    teacher["metrics"] = {metric: told["mean"] for metric, told in teacher["metrics"].items()}
    return {
        **found,
        "task": inside["task"],
        "teacher": {**found["teacher"], "confusion": None, "calibration": None, **teacher},
        "students": [student if i == index else one for i, one in enumerate(found["students"])],
        "dataset": {
            **found["dataset"],
            "classes": list(classes),
            "target": name,
            "rows": {**found["dataset"]["rows"], "test": inside["rows"]},
        },
    }


def chosen(found: Mapping[str, Any], index: int, key: str) -> Mapping[str, Any]:
    """Let a person choose one target of a result; of one target the result as it is."""
    if not IN_PARTS(task_of(found["task"])) or not found["students"][index].get("tasks"):
        return found
    return of_result(found, index, _which(found, key))


def _which(found: Mapping[str, Any], key: str) -> int:
    names = [one[0] for one in task_of(found["task"]).questions("", ())]
    held = st.segmented_control(
        t("task.several.which"), names, default=names[0], required=True, format_func=escape, key=f"{key}.target"
    )
    return names.index(held) if held in names else 0
