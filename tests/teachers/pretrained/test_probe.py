"""The linear model on vectors: it learns, keeps absent classes, chooses its strength, and stops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from kd_core.errors import DataError, Stopped
from kd_core.teachers.pretrained import probe
from tests.teachers.tables import fit_data


def fitted(data, should_stop=lambda: False):
    return probe.fit(None, data, 0, lambda event: None, should_stop)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_it_is_the_logistic_regression_of_its_strength(task):
    data = fit_data(task)
    found = fitted(data)
    x = probe._standard(data.x, found.mean_D, found.spread_D)
    other = LogisticRegression(C=1 / (found.facts["strength"] * len(x)), max_iter=5000, tol=1e-8)
    v = probe._standard(data.x_validation, found.mean_D, found.spread_D)
    if task == "binary":  # two weights a feature that mirror each other are pulled half as much as one
        other.C /= 2
    np.testing.assert_allclose(
        np.exp(found.logits(data.x_validation)), other.fit(x, data.y).predict_proba(v), atol=0.01
    )
    assert found.num_parameters() == (4 + 1) * data.num_outputs and found.size_bytes() > 4 * found.num_parameters()
    assert found.details()["strength"] in probe.STRENGTHS and found.module() is None


def test_numbers_are_foretold_by_ridge_regression():
    data = fit_data("regression")
    found = fitted(data)
    x, v = (probe._standard(rows, found.mean_D, found.spread_D) for rows in (data.x, data.x_validation))
    other = Ridge(alpha=found.facts["strength"] * len(x)).fit(x, data.y)
    np.testing.assert_allclose(found.logits(data.x_validation)[:, 0], other.predict(v), atol=1e-3)


def test_a_class_that_is_not_there_keeps_its_column_and_a_still_feature_counts_for_nothing():
    data = fit_data("multiclass")
    kept = data.y != 1
    x = np.c_[data.x[kept], np.full(kept.sum(), 7.0)].astype(np.float32)
    v = np.c_[data.x_validation, np.full(len(data.x_validation), 9.0)].astype(np.float32)
    z = fitted(replace(data, x=x, y=data.y[kept], x_validation=v)).logits(v)
    assert z.shape == (100, 3) and np.isfinite(z).all() and np.exp(z[:, 1]).max() < 1e-5
    np.testing.assert_allclose(np.exp(z).sum(1), 1, atol=1e-5)


def test_weaker_pulls_are_tried_while_they_help():
    rng = np.random.default_rng(0)
    noise = replace(
        fit_data("binary"),
        x=rng.normal(size=(200, 60)).astype(np.float32),
        x_validation=rng.normal(size=(100, 60)).astype(np.float32),
        y=rng.integers(0, 2, 200),
        y_validation=rng.integers(0, 2, 100),
    )
    assert fitted(noise).facts["strength"] == probe.STRENGTHS[0]
    plain = fit_data("binary")
    clear = replace(plain, y=(plain.x[:, 0] > 0).astype(int), y_validation=(plain.x_validation[:, 0] > 0).astype(int))
    assert fitted(clear).facts["strength"] == probe.STRENGTHS[-1]


def test_one_class_is_refused_and_a_stop_is_honoured_within_a_step():
    data = fit_data("binary")
    with pytest.raises(DataError, match="all have class number"):
        fitted(replace(data, y=np.zeros_like(data.y)))
    asked = 0

    def later():
        nonlocal asked
        asked += 1
        return asked > 4

    with pytest.raises(Stopped):
        fitted(data, later)
    assert asked == 5


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_it_is_one_linear_layer_on_vectors_as_they_are(task):
    data = fit_data(task)
    x, v = (np.c_[rows, np.full(len(rows), 7.0)].astype(np.float32) for rows in (data.x, data.x_validation))
    found = fitted(replace(data, x=x, x_validation=v))
    layer = found.head()
    assert layer.shape == (data.num_outputs, x.shape[1] + 1) and layer.dtype == np.float32
    z = v @ layer[:, :-1].T + layer[:, -1]
    told = found.logits(v)
    if task == "regression":
        np.testing.assert_allclose(z, told, atol=1e-4)
    else:
        np.testing.assert_allclose(np.exp(z) / np.exp(z).sum(1, keepdims=True), np.exp(told), atol=1e-4)


def test_a_class_that_is_not_there_is_as_unlikely_in_its_layer():
    data = fit_data("multiclass")
    kept = data.y != 1
    found = fitted(replace(data, x=data.x[kept], y=data.y[kept]))
    layer = found.head()
    assert layer[1, :-1].tolist() == [0.0] * 4 and layer[1, -1] == np.float32(np.log(1e-6))
    z = data.x_validation @ layer[:, :-1].T + layer[:, -1]
    assert (z.argmax(1) == found.logits(data.x_validation).argmax(1)).all()
