"""Every label of a row by itself: how well it is found, and what distilling gained for it, from the same rows and seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from kd_core.evaluate import labels
from kd_core.evaluate.base import Answers
from kd_core.evaluate.intervals import families
from kd_core.evaluate.intervals.evidence import Evidence
from kd_core.task import yes_or_no

METRIC = "pr_auc"  # average precision of one label


def told(found: Evidence, students: int) -> list[dict[str, Any]]:
    """Tell of each label: rows that have it, F1 and average precision of each side, and of each side what was found, missed and called wrongly.

    Numbers are means over seeds. `gain`: student less baseline in average precision, None where no test row has the label; `ci_family`: the
    interval that holds together for all labels of so many students.
    """
    one = next(iter(found.sides.values()))[0]
    number = one.y.shape[1]
    return [_label(found, k, number * students) for k in range(number)]


def _label(found: Evidence, k: int, members: int) -> dict[str, Any]:
    sides = {side: [_alone(a, k) for a in models] for side, models in found.sides.items()}
    own = Evidence(sides, found.units)
    counts = {side: np.mean([_counts(a, k) for a in models], axis=0) for side, models in found.sides.items()}
    gain = own.gain(METRIC, "student", "baseline") if {"student", "baseline"} <= set(sides) else None
    wide = None if gain is None else families.simultaneous(gain, members)
    return {
        "rows": int((sides["student"][0].y > 0).sum()),
        "f1": {side: _mean(own.values("f1", side)) for side in sides},
        "average_precision": {side: _mean(own.values(METRIC, side)) for side in sides},
        "counts": {side: [round(float(v), 3) for v in value] for side, value in counts.items()},
        "gain": None if gain is None or wide is None else {"mean": gain.mean, "ci_family": [wide.low, wide.high]},
    }


def _alone(answers: Answers, k: int) -> Answers:
    """Take one label as a yes or no of its own."""
    assert answers.p is not None
    p = answers.p[:, k]
    z = None if answers.z is None else np.stack([np.zeros(len(p)), answers.z[:, k]], axis=1)
    return Answers(yes_or_no().name, (answers.y[:, k] > 0).astype(np.int64), np.stack([1 - p, p], axis=1), z=z)


def _counts(answers: Answers, k: int) -> list[int]:
    """Count rows found, missed and called wrongly."""
    y, said = answers.y[:, k] > 0, labels.called(answers)[:, k]
    return [int((y & said).sum()), int((y & ~said).sum()), int((~y & said).sum())]


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None
