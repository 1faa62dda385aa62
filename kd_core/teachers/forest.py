"""What forests of independent trees share: growing in steps, and their size from the node arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from kd_core.teachers.base import FitData, ShouldStop
from kd_core.teachers.estimator import THREADS, FittedEstimator, check_classes, stop_if_asked

_TREES_PER_STEP = 10  # a stop request is looked at between steps
_MOST_LEAVES = 5000  # per tree, so that a forest on a million rows stays below a few hundred MB


def leaf_rows(wanted: int | None, num_rows: int) -> int:
    """Choose the least rows per leaf: 5, and more on large tables, so that no tree passes about 5,000 leaves."""
    return wanted or max(5, -(-num_rows // _MOST_LEAVES))


def grow(estimator: Any, trees: int, data: FitData, should_stop: ShouldStop) -> FittedEstimator:
    """Grow a forest a few trees at a time; `estimator` has warm_start on. Errors: Stopped, DataError."""
    check_classes(data)
    for count in range(_TREES_PER_STEP, trees + _TREES_PER_STEP, _TREES_PER_STEP):
        stop_if_asked(should_stop)
        estimator.set_params(n_estimators=min(count, trees), n_jobs=THREADS)
        estimator.fit(data.x, data.y)
    # With several jobs the trees' answers are added up in the order in which they finish: not repeatable.
    estimator.set_params(n_jobs=1)
    parts = [tree.tree_ for tree in estimator.estimators_]
    leaves = sum(int((t.children_left < 0).sum()) for t in parts)
    splits = sum(int(t.node_count) for t in parts) - leaves
    values = int(np.prod(parts[0].value.shape[1:]))
    arrays = ("children_left", "children_right", "feature", "threshold", "value")
    size = sum(getattr(t, name).nbytes for t in parts for name in arrays)
    facts = {"trees": len(parts), "leaf_rows": int(estimator.min_samples_leaf)}
    return FittedEstimator(estimator, data.task, data.num_outputs, splits + leaves * values, size, facts, parallel=True)
