"""Users with hardly a history, and items that training hardly saw, judged apart from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kd_core.data.dataset import Array, Dataset
from kd_core.data.plain.counted import plural
from kd_core.evaluate import METRICS
from kd_core.runs import assessment
from kd_core.runs.store.measured import write_gain
from kd_core.task import task_of

FEW_ITEMS = 3  # of a history: a new user has at most so many
FEW_ROWS = 3  # of training that ask for an item: a rare item has at most so many
VIEW = "sequence"
_NAMES = {
    "new_users": "Users with at most {few} known items before",
    "known_users": "All other users",
    "unseen_items": "Items that training never saw",
    "rare_items": "Items that at most {few} training rows ask for",
    "frequent_items": "All other items",
}


def groups(dataset: Dataset) -> dict[str, Array]:
    """Say which test rows are of which kind: by the user's history, and by the item that came next. Shape: positions in the test part."""
    length = (dataset.view(VIEW).parts["test"] > 0).sum(axis=1)
    y = dataset.test.y
    counts = np.bincount(dataset.train.y, minlength=dataset.num_outputs)
    asked = np.where(y >= 0, counts[np.maximum(y, 0)], -1)
    kinds = {
        "new_users": length <= FEW_ITEMS,
        "known_users": length > FEW_ITEMS,
        "unseen_items": y < 0,
        "rare_items": (asked >= 0) & (asked <= FEW_ROWS),
        "frequent_items": asked > FEW_ROWS,
    }
    return {name: np.flatnonzero(where) for name, where in kinds.items()}


def cold_start(dataset: Dataset, teacher: Array, sides: Mapping[str, Sequence[Array]]) -> dict[str, Any]:
    """Judge every kind of test rows by every metric of the first places; nothing for a task without histories.

    `teacher` and `sides` as in `assessment.evidence`. Shape: (N, W) for the test rows.
    """
    if not task_of(dataset.task).by_history:
        return {}
    told = []
    for name, rows in groups(dataset).items():
        one: dict[str, Any] = {
            "name": name,
            "rows": len(rows),
            "few": FEW_ITEMS if name.endswith("users") else FEW_ROWS,
        }
        if len(rows):
            found = assessment.evidence(dataset, "test", teacher, sides, rows)
            shown = [m for m in found.metrics() if METRICS.get(m).facts["unit"] == "share"]
            one["units"] = found.num_units
            one["metrics"] = {
                side: {m: assessment.spread(found.values(m, side)) for m in shown} for side in found.sides
            }
            every = assessment.gains(found, "student", "baseline")
            one["gain"] = {m: write_gain(every[m]) for m in shown if m in every}
        told.append(one)
    return {"cold_start": told}


def lines(student: Mapping[str, Any], metric: str) -> list[str]:
    """Say for a terminal how each kind of rows fares by a metric, and HIT@10 where that is not it; nothing of other tasks."""
    found = []
    for one in student.get("cold_start") or ():
        name = _NAMES[one["name"]].format(few=one["few"])
        if not one["rows"]:
            found.append(f"  {name}: no test row.")
            continue
        scores = []
        for m in dict.fromkeys((metric, *one["metrics"]["student"])):
            if m in one["metrics"]["student"]:
                each = {
                    side: one["metrics"][side][m]["mean"]
                    for side in ("teacher", "baseline", "student")
                    if side in one["metrics"]
                }
                scores.append(f"{METRICS.get(m).title} " + ", ".join(f"{side} {v:.4f}" for side, v in each.items()))
        found.append(f"  {name} ({plural(one['rows'], 'test row')}): {'; '.join(scores)}.")
    return found
