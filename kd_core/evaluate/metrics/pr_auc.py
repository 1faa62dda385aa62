"""Area under the precision-recall curve (average precision); mean over the classes that occur when there are more than two."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import average_precision_score

from kd_core.evaluate.base import METRICS, Answers
from kd_core.specs import CLASSIFICATION


@METRICS.register(
    "pr_auc", title="PR-AUC", source="scikit-learn", tasks=CLASSIFICATION,
    better="higher", unit="share", margin=0.005, relative=False,
)  # fmt: skip
def pr_auc(answers: Answers) -> float | None:
    """Measure average precision; None when no row is positive (binary)."""
    assert answers.p is not None
    if answers.task == "binary":
        return float(average_precision_score(answers.y, answers.p[:, 1])) if (answers.y == 1).any() else None
    occurring = np.unique(answers.y)
    return float(np.mean([average_precision_score(answers.y == c, answers.p[:, c]) for c in occurring]))
