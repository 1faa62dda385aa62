import math

import numpy as np
import pytest

from kd_core.errors import KDError
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.intervals.row_spread import row_spread, row_standard_error, units_of


def test_single_rows_give_the_standard_error_of_a_mean():
    values = np.random.default_rng(0).normal(size=200)
    assert row_standard_error(values - values.mean()) == pytest.approx(values.std(ddof=1) / math.sqrt(200))


def test_units_are_added_up_first():
    influence = np.array([1.0, -1.0, 2.0, -2.0, 3.0, -3.0])
    assert row_standard_error(influence, units_of(np.array(list("aabbcc")))) == 0.0
    one_way = np.array([1.0, 1.0, -1.0, -1.0])
    assert row_standard_error(one_way, np.array([0, 0, 5, 5])) == pytest.approx(math.sqrt((4 + 4) * 2) / 4)


def test_copies_of_rows_add_nothing_when_they_are_one_unit():
    values = np.random.default_rng(0).normal(size=100)
    influence = values - values.mean()
    alone = row_standard_error(influence)
    doubled = row_standard_error(np.repeat(influence, 2), np.repeat(np.arange(100), 2))
    assert doubled == pytest.approx(alone)
    assert row_standard_error(np.repeat(influence, 2)) < 0.75 * alone


def test_the_most_important_unit_is_a_floor():
    """One unit of nearly all rows: leaving it out changes more than the formula says."""
    influence, units = np.r_[np.full(90, 0.1), np.full(10, -0.9)], np.r_[np.zeros(90, int), np.arange(1, 11)]
    assert row_standard_error(influence, units) == pytest.approx(9.0 / 10)


def test_one_unit_says_nothing_of_other_rows():
    assert row_standard_error(np.array([1.0])) == math.inf
    assert row_standard_error(np.array([1.0, -1.0]), np.array([3, 3])) == math.inf


def test_rows_without_unit_are_refused():
    with pytest.raises(KDError, match="3 rows can't be divided into units by 2 values") as caught:
        row_standard_error(np.zeros(3), np.zeros(2, int))
    assert caught.value.code == "unit_rows"
    one = from_logits("binary", np.array([0, 1, 1]), np.eye(3, 2))
    for metric in ("accuracy", "ece"):
        with pytest.raises(KDError, match="3 rows can't be divided into units by 2 values"):
            row_spread(metric, [one, one], np.zeros(2, int))


@pytest.mark.parametrize("metric", ["accuracy", "ece", "roc_auc"])
def test_the_same_labels_number_rows_alike(metric):
    rng = np.random.default_rng(1)
    y, z = rng.integers(0, 2, 200), rng.normal(size=(2, 200, 2))
    models = [from_logits("binary", y, one) for one in z]
    keys = rng.choice(["a", "b", "c", "d", "e", "f"], 200)
    found = row_spread(metric, models, units_of(keys)).standard_error([1, -1])
    assert found == pytest.approx(row_spread(metric, models, units_of(keys) * 3 + 1).standard_error([1, -1]), rel=1e-6)


def test_an_undefined_metric_has_no_spread():
    z = np.random.default_rng(0).normal(size=(20, 2))
    assert row_spread("roc_auc", [from_logits("binary", np.zeros(20, np.int64), z)]) is None


def test_exact_answers_on_both_sides_still_have_a_width():
    y = np.arange(10.0)
    exact = from_logits("regression", y, y[:, None])
    for metric in ("rmse", "mae"):
        assert row_spread(metric, [exact, exact]).standard_error([1, -1]) == pytest.approx(y.std() / 10)
    constant = from_logits("regression", np.ones(10), np.ones((10, 1)))
    assert row_spread("rmse", [constant, constant]).standard_error([1, -1]) == pytest.approx(0.1)
