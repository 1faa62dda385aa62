import numpy as np
import pytest

from kd_core.errors import KDError
from kd_core.training.scoring import Scoring


def test_regression_is_scored_in_the_targets_own_unit():
    score = Scoring("regression", np.array([10.0, 30.0]), "rmse", mean=20.0, std=10.0, also=("mae",))
    assert score(np.array([[-1.0], [2.0]])) == {"rmse": pytest.approx(10 / 2**0.5), "mae": pytest.approx(5.0)}
    assert score.better == "lower"


def test_classes_are_scored_from_logits():
    score = Scoring("binary", np.array([0, 1]), "accuracy", also=("log_loss",))
    found = score(np.array([[0.0, 0.0], [0.0, 3.0]]))
    assert found["accuracy"] == 1.0
    assert found["log_loss"] == pytest.approx((np.log(2) + np.log1p(np.exp(-3))) / 2)
    assert score.better == "higher"
    assert score.selection(found) == 1.0


def test_an_undefined_value_is_not_guessed():
    score = Scoring("binary", np.zeros(2, dtype=np.int64), "roc_auc")
    with pytest.raises(KDError, match="'roc_auc' is undefined on the 2 validation rows") as caught:
        score.selection(score(np.zeros((2, 2))))
    assert "Choose another metric" in caught.value.hint
