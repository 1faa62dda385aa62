"""Chance that a positive row gets a higher probability than a negative one; mean over the classes that occur (one against the rest) when there are more than two."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from kd_core.data.dataset import Array
from kd_core.evaluate.base import METRICS, Answers
from kd_core.specs import CLASSIFICATION


@METRICS.register(
    "roc_auc", title="ROC-AUC", source="Hanley and McNeil 1982; equals scikit-learn, faster because it runs after every epoch", tasks=CLASSIFICATION,
    better="higher", unit="share", margin=0.005, relative=False,
)  # fmt: skip
def roc_auc(answers: Answers) -> float | None:
    """Measure ROC-AUC; None when only one class occurs."""
    assert answers.p is not None
    if answers.task == "binary":
        return _area(answers.y == 1, answers.p[:, 1])
    areas = [_area(answers.y == c, answers.p[:, c]) for c in np.unique(answers.y)]
    known = [a for a in areas if a is not None]
    return float(np.mean(known)) if known else None


def _area(positive: Array, score: Array) -> float | None:
    """Compute the area from mid-ranks (Mann-Whitney U); None when only one side occurs."""
    num_positive = int(positive.sum())
    num_negative = len(positive) - num_positive
    if not num_positive or not num_negative:
        return None
    ranks = rankdata(score)[positive].sum()
    return float((ranks - num_positive * (num_positive + 1) / 2) / (num_positive * num_negative))
