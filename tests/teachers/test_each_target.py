"""A model that answers one target answers every label of a row: one fit each, and its log odds as the label's logit."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from kd_core.data.input_spec import table_inputs
from kd_core.teachers.base import SOURCES, FitData
from kd_core.teachers.each_target import Constant, each_target, questions
from kd_core.teachers.forest import grow

ROWS = 300


def data(labels=3, rare=None):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2 * ROWS, 4)).astype(np.float32)
    y = (x[:, :labels] + 0.3 * rng.normal(size=(2 * ROWS, labels)) > 0).astype(np.float32)
    if rare is not None:
        y[:, 1] = rare
    return FitData("multilabel", labels, table_inputs(4), x[:ROWS], y[:ROWS], x[ROWS:], y[ROWS:])


def fit_of(name, **settings):
    entry = SOURCES.get(name)
    return entry.make.fit, entry.spec.parse(settings, name)


@pytest.mark.parametrize("name", ["gradient_boosting", "lightgbm", "xgboost", "random_forest", "sklearn"])
def test_every_estimator_learns_each_label(name):
    fit, spec = fit_of(name)
    told = fit(spec, data(), 0, lambda event: None, lambda: False)
    z = told.logits(data().x_validation)
    assert z.shape == (ROWS, 3) and z.dtype == np.float32 and np.isfinite(z).all()
    assert (((z > 0) == (data().y_validation > 0.5)).mean(0) > 0.8).all()
    assert told.num_parameters() > 0 and told.size_bytes() > 0 and told.details()["fits"] == 3


@pytest.mark.parametrize("rare", [0.0, 1.0])
def test_a_label_of_one_value_is_answered_by_a_constant(rare):
    fit, spec = fit_of("lightgbm")
    told = fit(spec, data(rare=rare), 0, lambda event: None, lambda: False)
    z = told.logits(data().x_validation)
    assert len(np.unique(z[:, 1])) == 1 and (z[0, 1] > 0) == (rare == 1.0)
    assert 1 / (1 + np.exp(-z[0, 1])) == pytest.approx(1 - 0.5 / ROWS if rare else 0.5 / ROWS, rel=0.01)
    assert told.details()["constant"] == 1


def test_each_logit_is_that_of_its_label_alone():
    def forest(spec, found, seed, notify, should_stop):
        return grow(
            RandomForestClassifier(min_samples_leaf=5, warm_start=True, random_state=seed % 2**32),
            10,
            found,
            should_stop,
        )

    asked = []
    told = each_target(lambda spec, d, seed, n, s: asked.append((d, seed)) or forest(spec, d, seed, n, s))(
        None, data(), 3, lambda event: None, lambda: False
    )
    for k, (own, seed) in enumerate(asked):
        assert own.task == "binary" and own.num_outputs == 2 and (own.y == (data().y[:, k] > 0.5)).all()
        z = forest(None, own, seed, None, lambda: False).logits(data().x_validation)
        np.testing.assert_array_equal(told.logits(data().x_validation)[:, k], z[:, 1] - z[:, 0])
    assert len({seed for _, seed in asked}) == 3


def test_a_task_of_one_target_is_not_touched():
    assert list(questions("binary", np.zeros(4, np.int64), 2)) == []
    marker = Constant(np.zeros(2))
    assert (
        each_target(lambda *args: marker)(
            None, FitData("binary", 2, table_inputs(1), *[np.zeros((2, 1))] * 2, *[np.zeros(2)] * 2), 0, None, None
        )
        is marker
    )
