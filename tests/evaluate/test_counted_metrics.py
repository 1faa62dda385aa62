"""Metrics that are counted equal scikit-learn's to the last bit."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from kd_core.evaluate import METRICS
from kd_core.evaluate.base import Answers

KNOWN = {"f1": f1_score, "precision": precision_score, "recall": recall_score}


def answers(task, y, predicted, classes):
    return Answers(task, y, np.eye(classes)[predicted])


@pytest.mark.parametrize("seed", range(20))
def test_counted_metrics_equal_scikit_learns_bits(seed):
    rng = np.random.default_rng(seed)
    rows, classes = int(rng.integers(1, 400)), int(rng.integers(3, 40))
    y, called = rng.integers(0, 2, (2, rows)) * (rng.random((2, rows)) < rng.random())
    for name, known in KNOWN.items():
        found = METRICS.get(name).make(answers("binary", y, called, 2))
        assert found == (known(y, called, zero_division=0) if found is not None else None)
        assert (found is None) == (not (y == 1).any() and (name == "recall" or not (called == 1).any()))
    y = rng.integers(0, classes, rows)
    called = np.where(rng.random(rows) < 0.5, y, rng.integers(0, classes, rows))
    for name, known in {**KNOWN, "f1_macro": f1_score}.items():
        if name != "f1":
            found = METRICS.get(name).make(answers("multiclass", y, called, classes))
            assert type(found) is float and found == known(y, called, average="macro", zero_division=0)
