"""What guessing reaches."""

import pytest

from pages.ui.result import chance
from tests.pages.fixtures import result


def test_guessing_is_worked_out_from_the_test_rows():
    found = result(task="multiclass")
    found["teacher"]["confusion"] = [[20, 5, 5], [10, 50, 0], [0, 0, 10]]
    assert chance.guess(found, "accuracy").value == pytest.approx(0.6)
    assert chance.note(found, "accuracy") == "Guessing reaches 0.600 accuracy: always garden, the most frequent class."
    assert chance.guess(found, "balanced_accuracy").value == pytest.approx(1 / 3)
    assert chance.guess(found, "pr_auc") is None and chance.guess(found, "log_loss") is None
    assert chance.note(found, "log_loss") is None


def test_a_coin_the_share_of_the_positives_and_the_mean():
    found = result()
    assert chance.guess(found, "roc_auc").value == 0.5
    found["teacher"]["confusion"] = [[70, 5], [5, 20]]
    assert chance.guess(found, "pr_auc").value == pytest.approx(0.25)
    numbers = result(task="regression")
    numbers["teacher"]["metrics"] |= {"rmse": 3.0, "r2": 0.75}
    assert chance.guess(numbers, "rmse").value == pytest.approx(6.0)
    assert chance.guess(numbers, "r2").value == 0.0
    numbers["teacher"]["metrics"]["r2"] = None
    assert chance.guess(numbers, "rmse") is None and chance.guess(numbers, "mae") is None
