"""XGBoost trained here: it stops early, its settings are XGBoost's own, and a missing package is said."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from kd_core.errors import KDError, Stopped
from kd_core.registry import Situation
from kd_core.teachers.base import SOURCES
from kd_core.teachers.sources import xgboost as source
from tests.teachers.tables import fit_data

xgboost = pytest.importorskip("xgboost")


def fit(data, seed=0, should_stop=lambda: False, **settings):
    entry = SOURCES.get("xgboost")
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
    assert found.num_parameters() > facts["trees"] and found.size_bytes() > 4 * found.num_parameters()
    if task == "regression":
        assert np.corrcoef(z[:, 0], data.y_validation)[0, 1] > 0.6
        assert facts["validation_loss"] == pytest.approx(np.mean((z[:, 0] - data.y_validation) ** 2), rel=1e-4)
    else:
        own = z[np.arange(len(z)), data.y_validation]
        assert facts["validation_loss"] == pytest.approx(-own.mean(), rel=1e-4)  # z are log-probabilities


def test_the_settings_are_xgboosts_own():
    data = fit_data("regression", rows=400)
    found = fit(data, seed=3, leaves=5, leaf_weight=10, l2=2.0, feature_share=1.0, learning_rate=0.3, patience=3)
    told = {"max_leaves": 5, "max_depth": 0, "grow_policy": "lossguide", "min_child_weight": 10, "lambda": 2.0}
    told |= {"eta": 0.3, "nthread": 1, "tree_method": "hist"}
    theirs = xgboost.train(told, xgboost.DMatrix(data.x, data.y), found.details()["rounds"])
    z = theirs.predict(xgboost.DMatrix(data.x_validation))
    np.testing.assert_allclose(found.logits(data.x_validation)[:, 0], z, rtol=1e-5, atol=1e-6)


def test_missing_values_are_read_and_the_seed_decides():
    data = fit_data("binary", rows=400)
    rng = np.random.default_rng(0)
    holes = np.where(rng.random(data.x.shape) < 0.2, np.float32(np.nan), data.x)
    data = replace(data, x=holes)
    a, b, other = fit(data, 1), fit(data, 1), fit(data, 2)
    z = a.logits(data.x_validation)
    assert np.array_equal(z, b.logits(data.x_validation)) and not np.array_equal(z, other.logits(data.x_validation))
    assert np.isfinite(a.logits(np.full((3, 4), np.nan, dtype=np.float32))).all()


def test_a_stop_request_ends_it_between_rounds():
    asked: list[int] = []
    with pytest.raises(Stopped):
        fit(fit_data("binary"), should_stop=lambda: bool(asked.append(1)) or len(asked) > 3)
    assert len(asked) == 4


def test_where_it_is_not_installed_it_is_not_offered_and_says_so(monkeypatch):
    entry, at = SOURCES.get("xgboost"), Situation("binary", 2)
    assert entry.why_not(at) is None
    monkeypatch.setattr(source.importlib.util, "find_spec", lambda name: None)
    assert "needs the package xgboost-cpu, which is not installed here" in entry.why_not(at)
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(KDError, match=r"XGBoost can't be loaded \(.+\)\. Install it with 'pip install") as error:
        fit(fit_data("binary"))
    assert error.value.code == "no_xgboost"
