import numpy as np
import pytest

from kd_core.evaluate.answers import from_logits


def test_logits_become_probabilities():
    found = from_logits("binary", np.array([0, 1]), np.array([[0.0, 0.0], [1000.0, -1000.0]], dtype=np.float32))
    assert found.p.tolist() == [[0.5, 0.5], [1.0, 0.0]]
    assert found.predicted.tolist() == [0, 0]
    assert found.values is None


def test_regression_goes_back_to_the_targets_unit():
    found = from_logits("regression", np.array([1.0, 2.0]), np.array([[0.0], [2.0]]), mean=10.0, std=3.0)
    assert found.values == pytest.approx([10.0, 16.0])
    assert found.p is None


@pytest.mark.parametrize(("task", "width"), [("binary", 2), ("multiclass", 5), ("regression", 1)])
def test_no_rows_are_no_problem(task, width):
    found = from_logits(task, np.zeros(0, dtype=np.int64), np.zeros((0, width)))
    assert len(found.y) == 0
