"""From which probability on the answer is yes: chosen on validation rows, told on test rows.

Where few rows are positive, a model that is right about the odds hardly ever says more than 50 %, so that "the likelier class" is
always no. Legend: N rows; yes_N whether a row is positive, p_N probability of yes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from kd_core.data.dataset import Array

HALF = 0.5
FEW = 0.1  # share of positive training rows below which the threshold is chosen without being asked for
_ASKED = re.compile(r"(precision|recall):(0?\.\d+)")
PATTERN = rf"^(half|f1|{_ASKED.pattern})$"
POINTS = 200  # of a curve


@dataclass(frozen=True)
class Rule:
    """How a threshold is chosen. `name`: f1, the best F1; precision, the most recall at the `wanted` precision; recall, the highest threshold that keeps it."""

    name: str
    wanted: float | None = None


def rule_of(asked: str | None, share: float) -> Rule | None:
    """Read what was asked for, None for a threshold of one half. Without a wish F1 where fewer than `FEW` of the training rows are positive. `share`: of them."""
    if asked is None:
        return Rule("f1") if share < FEW else None
    found = _ASKED.fullmatch(asked)
    if found:
        return Rule(found[1], float(found[2]))
    return Rule(asked) if asked == "f1" else None


def chosen(yes: Array, p: Array, rule: Rule) -> float | None:
    """Choose a threshold: half-way between the last row that is called yes and the next. None where no row, or every one, is positive.

    Where no threshold keeps a wanted precision, that of the highest precision is taken.
    """
    yes, p = np.asarray(yes, bool), np.asarray(p, np.float64)
    if not 0 < yes.sum() < len(yes):
        return None
    value, precision, recall = steps(yes, p)
    if rule.name == "precision":
        assert rule.wanted is not None
        kept = np.flatnonzero(precision >= rule.wanted)
        at = int(kept[-1]) if len(kept) else int(len(precision) - 1 - precision[::-1].argmax())
    elif rule.name == "recall":
        assert rule.wanted is not None
        at = int(np.flatnonzero(recall >= rule.wanted)[0])
    else:
        at = int((2 * precision * recall / np.maximum(precision + recall, 1e-12)).argmax())
    after = value[at + 1] if at + 1 < len(value) else 0.0
    return float((value[at] + after) / 2)


def steps(yes: Array, p: Array) -> tuple[Array, Array, Array]:
    """Count at every probability that occurs, the highest first: it, the precision and the recall of calling all rows from it on yes. Shape: (K,) each."""
    order = np.argsort(-p, kind="stable")
    ranked, hits = p[order], np.cumsum(yes[order])
    last = np.flatnonzero(np.append(ranked[1:] < ranked[:-1], True))  # rows of equal probability are called alike
    return ranked[last], hits[last] / (last + 1), hits[last] / yes.sum()


def told(yes: Array, p: Array, at: float) -> dict[str, float]:
    """Measure precision, recall and F1, 0 where nothing is called yes or nothing is, and the share of rows that are called yes."""
    yes, called = np.asarray(yes, bool), np.asarray(p) >= at
    right = float((yes & called).sum())
    precision, recall = right / max(1, called.sum()), right / max(1, yes.sum())
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return {"precision": float(precision), "recall": float(recall), "f1": float(f1), "called": float(called.mean())}


def curve(yes: Array, p: Array, points: int = POINTS) -> dict[str, list[float]]:
    """Thin the precision-recall curve out to so many points, evenly by recall; empty where no row is positive."""
    yes, p = np.asarray(yes, bool), np.asarray(p, np.float64)
    if not yes.any():
        return {"threshold": [], "precision": [], "recall": []}
    value, precision, recall = steps(yes, p)
    some = np.unique(np.searchsorted(recall, np.linspace(recall[0], 1.0, points)).clip(max=len(recall) - 1))
    found: dict[str, Any] = {"threshold": value[some], "precision": precision[some], "recall": recall[some]}
    return {name: np.round(one, 5).tolist() for name, one in found.items()}
