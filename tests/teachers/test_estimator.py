import numpy as np
import pytest

from kd_core.errors import DataError
from kd_core.teachers.base import SOURCES
from kd_core.teachers.estimator import FittedEstimator, log_probabilities
from kd_core.teachers.forest import leaf_rows
from tests.teachers.tables import fit_data


def test_probabilities_become_log_probabilities_in_label_order():
    z = log_probabilities(np.array([[0.25, 0.75], [0.0, 1.0]]), np.array([2, 0]), 4)
    np.testing.assert_allclose(np.exp(z).sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(np.exp(z[0]), [0.75, 1e-6, 0.25, 1e-6], atol=1e-5)
    assert np.isfinite(z).all() and z.dtype == np.float32


@pytest.mark.parametrize("name", ["gradient_boosting", "random_forest", "mlp", "sklearn"])
def test_rows_of_one_class_are_refused(name):
    data = fit_data("binary", y=np.ones(200, np.int64))
    with pytest.raises(DataError, match="The 200 training rows of this teacher all have class number 1"):
        SOURCES.get(name).make.fit(SOURCES.get(name).spec(), data, 0, print, lambda: False)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gradient_boosting", "random_forest"])
def test_a_constant_target_is_no_single_class(name):
    data = fit_data("regression", y=np.full(200, 0.25, np.float32))
    made = SOURCES.get(name).make.fit(SOURCES.get(name).spec(), data, 0, print, lambda: False)
    assert made.logits(data.x) == pytest.approx(np.full((200, 1), 0.25), abs=1e-6)


@pytest.mark.parametrize("parallel", [False, True])
def test_many_rows_are_answered_in_order(parallel):
    class Echo:
        def predict(self, x):
            return x[:, 0]

    x = np.arange(20_000, dtype=np.float32).reshape(-1, 1)
    assert np.array_equal(FittedEstimator(Echo(), "regression", 1, 1, 4, parallel=parallel).logits(x), x)


@pytest.mark.parametrize(
    ("wanted", "rows", "least"), [(None, 100, 5), (None, 25_000, 5), (None, 378_000, 76), (3, 10**6, 3)]
)
def test_leaves_grow_with_the_table(wanted, rows, least):
    assert leaf_rows(wanted, rows) == least
