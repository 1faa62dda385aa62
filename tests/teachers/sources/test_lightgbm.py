from dataclasses import replace

import lightgbm
import numpy as np
import pytest

from kd_core.models import boosting
from kd_core.teachers.base import SOURCES
from tests.teachers.tables import fit_data


def fit(data, seed=0, should_stop=lambda: False, **settings):
    entry = SOURCES.get("lightgbm")
    return entry.make.fit(entry.spec.parse({"rounds": 40, **settings}), data, seed, print, should_stop)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_it_learns_stops_early_and_counts_itself(task):
    data = fit_data(task, rows=400)
    asked: list[int] = []
    found = fit(data, should_stop=lambda: bool(asked.append(1)), rounds=1000, learning_rate=0.2, patience=5)
    facts, z = found.details(), found.logits(data.x_validation)
    assert len(asked) == 1 + facts["rounds"] + 5  # before the fit, and after every round
    columns = {"binary": 1, "multiclass": 3, "regression": 1}[task]
    assert facts["rounds"] < 200 and facts["trees"] == columns * facts["rounds"] and facts["validation_loss"] > 0
    assert found.num_parameters() > facts["trees"] and found.size_bytes() > 8 * found.num_parameters()
    if task == "regression":
        assert np.corrcoef(z[:, 0], data.y_validation)[0, 1] > 0.6
        assert facts["validation_loss"] == pytest.approx(np.mean((z[:, 0] - data.y_validation) ** 2), rel=1e-4)
    else:
        own = z[np.arange(len(z)), data.y_validation]
        assert facts["validation_loss"] == pytest.approx(-own.mean(), rel=1e-4)  # z are log-probabilities


def test_the_settings_are_lightgbms_own():
    data = fit_data("regression", rows=400)
    found = fit(data, seed=3, leaves=5, leaf_rows=10, l2=2.0, feature_share=1.0, learning_rate=0.3, patience=3)
    told = {
        **boosting.REPEATABLE,
        "objective": "regression",
        "num_leaves": 5,
        "min_data_in_leaf": 10,
        "lambda_l2": 2.0,
        "learning_rate": 0.3,
    }
    train = lightgbm.Dataset(data.x, data.y, params=told)
    theirs = lightgbm.train(told, train, found.details()["rounds"])
    np.testing.assert_allclose(found.logits(data.x_validation)[:, 0], theirs.predict(data.x_validation), rtol=1e-6)


def test_missing_values_are_read_and_the_seed_decides():
    data = fit_data("binary", rows=400)
    rng = np.random.default_rng(0)
    holes = np.where(rng.random(data.x.shape) < 0.2, np.float32(np.nan), data.x)
    data = replace(data, x=holes)
    a, b, other = fit(data, 1), fit(data, 1), fit(data, 2)
    z = a.logits(data.x_validation)
    assert np.array_equal(z, b.logits(data.x_validation)) and not np.array_equal(z, other.logits(data.x_validation))
    assert np.isfinite(a.logits(np.full((3, 4), np.nan, dtype=np.float32))).all()
