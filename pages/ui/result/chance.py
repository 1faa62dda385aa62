"""What guessing reaches on a metric, so that a score is not read from 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pages.ui.result import differences
from pages.ui.shared import text
from pages.ui.shared.text import Safe, t

Result = Mapping[str, Any]
FIXED = {"roc_auc": 0.5, "r2": 0.0}


@dataclass(frozen=True)
class Guess:
    """The score of a guess and how it is made."""

    value: float
    how: Safe


def guess(result: Result, metric: str) -> Guess | None:
    """Work out what guessing reaches on the test rows; None for a metric where it is not plain.

    An error in the target's unit comes from R², which compares with the mean: RMSE / sqrt(1 - R²).
    """
    if metric in FIXED:
        return Guess(FIXED[metric], t("runs.chance.half" if metric == "roc_auc" else "runs.chance.mean"))
    teacher, classes = result["teacher"], result["dataset"]["classes"]
    if metric == "rmse":
        rmse, r2 = (teacher["metrics"].get(n) for n in ("rmse", "r2"))
        return (
            None
            if rmse is None or r2 is None or r2 >= 1
            else Guess(float(rmse / np.sqrt(1 - r2)), t("runs.chance.mean"))
        )
    whole = result["students"][0] if teacher.get("known") else teacher
    counts = np.asarray(whole.get("confusion") or [[0.0]], dtype=np.float64).sum(axis=1)
    if not counts.sum():
        return None
    shares = counts / counts.sum()
    if metric == "accuracy":
        return Guess(float(shares.max()), t("runs.chance.majority", name=str(classes[int(shares.argmax())])))
    if metric == "balanced_accuracy":
        return Guess(1 / len(shares), t("runs.chance.classes", n=len(shares)))
    if metric == "pr_auc" and len(shares) == 2:
        return Guess(float(shares[1]), t("runs.chance.positives", name=str(classes[1])))
    return None


def note(result: Result, metric: str) -> Safe | None:
    """Say it in one sentence."""
    found = guess(result, metric)
    if found is None:
        return None
    return t("runs.chance.note", value=text.score(found.value), metric=differences.metric_word(metric), how=found.how)
