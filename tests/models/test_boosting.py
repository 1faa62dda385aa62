"""LightGBM's trees as arrays: every row takes the branch that LightGBM takes, and the answers are the same."""

from __future__ import annotations

import subprocess
import sys

import lightgbm
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kd_core.errors import KDError
from kd_core.models import boosting
from kd_core.models.tree_ensemble import TreeEnsemble, float32_below

ANY32 = st.floats(width=32, allow_nan=False)


@given(ANY32, st.floats(allow_nan=False))
def test_a_float32_is_on_the_same_side_of_a_threshold_and_of_the_float32_below_it(x, threshold):
    below = float32_below(np.array([threshold]))
    assert below.dtype == np.float32
    assert (np.float32(x) <= below[0]) == (float(x) <= threshold)


@given(ANY32, st.sampled_from([-1, 0, 1, 2]))
def test_thresholds_next_to_a_float32_are_told_apart(x, way):
    """The hard cases: a threshold that is the value itself, or the next double beside it."""
    threshold = (
        float(x) if way == 0 else np.nextafter(float(x), way * np.inf) if abs(way) == 1 else float(x) * (1 + 2**-30)
    )
    assert (np.float32(x) <= float32_below(np.array([threshold]))[0]) == (float(x) <= threshold)


def rows_with_holes(rng, rows):
    x = rng.standard_normal((rows, 5)).astype(np.float32)
    x[:, 1] = rng.integers(-1, 2, rows)  # zeros are the value LightGBM sets apart
    x[:, 2] = np.where(rng.random(rows) < 0.2, np.nan, x[:, 2])
    x[:, 3] = np.round(x[:, 3] * 3) / 3
    x[:, 4] = 1  # no split
    return x


def grown(seed, missing=True, leaves=7, rounds=6, classes=1):
    rng = np.random.default_rng(seed)
    x = rows_with_holes(rng, 300)
    if not missing:
        x = np.nan_to_num(x)
    score = np.nan_to_num(x[:, 0] * x[:, 1] + x[:, 2]) + x[:, 3] + 0.2 * rng.standard_normal(300)
    y = score if classes == 1 else np.digitize(score, np.quantile(score, [0.3, 0.7]))
    more = {"objective": "multiclass", "num_class": classes} if classes > 1 else {"objective": "regression"}
    told = {**boosting.REPEATABLE, "num_leaves": leaves, "min_data_in_leaf": 5, "seed": seed, **more}
    booster = lightgbm.train(told, lightgbm.Dataset(x, y, params=told), rounds)
    module = TreeEnsemble(5, rounds, leaves, classes).eval()
    module.fill(boosting.read_trees(booster, rounds))
    return booster, module


def ours(module, x):
    with torch.inference_mode():
        return module(torch.from_numpy(x)).logits.numpy()


MODELS = [grown(seed, missing) for seed, missing in ((0, True), (1, False))]
THRESHOLDS = sorted({float(t) for _, m in MODELS for t in m.threshold.flatten()})
NEAR = [float(np.nextafter(np.float32(t), np.float32(way))) for t in THRESHOLDS for way in (-np.inf, np.inf)]
TINY = [1e-35, -1e-35, 1.0000001e-35, -1.0000001e-35, 1e-40, -1e-40, 0.0, -0.0]
VALUES = st.one_of(st.sampled_from([*THRESHOLDS, *NEAR, *TINY, np.inf, -np.inf, np.nan]), st.floats(width=32))


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(hnp.arrays(np.float32, (8, 5), elements=VALUES.map(np.float32)))
def test_no_row_takes_another_branch(x):
    """Thresholds, their neighbours, zeros of both signs, the tiny values that LightGBM reads as 0, infinities, missing values."""
    for booster, module in MODELS:
        leaf = booster.predict(x, pred_leaf=True)
        assert np.array_equal(leaf, leaves_of(module, x))
        np.testing.assert_allclose(ours(module, x)[:, 0], booster.predict(x), rtol=1e-6, atol=1e-6)


def leaves_of(module, x):
    """Which leaf each tree answers with: the tree's values are replaced by the numbers of its leaves."""
    kept = module.value.data.clone()
    found = []
    for t in range(len(kept)):
        module.value.data.zero_()[t] = torch.arange(kept.shape[1])
        found.append(ours(module, x)[:, 0])
    module.value.data.copy_(kept)
    return np.stack(found, axis=1)


def test_several_classes_have_a_tree_each_and_a_round_can_be_left_out():
    booster, module = grown(3, classes=3)
    x = rows_with_holes(np.random.default_rng(9), 50)
    np.testing.assert_allclose(ours(module, x), booster.predict(x, raw_score=True), atol=1e-6)
    module.fill(boosting.read_trees(booster, 2))
    np.testing.assert_allclose(ours(module, x), booster.predict(x, raw_score=True, num_iteration=2), atol=1e-6)


def test_a_tree_without_splits_is_one_answer():
    told = {**boosting.REPEATABLE, "objective": "regression"}
    booster = lightgbm.train(told, lightgbm.Dataset(np.zeros((30, 5), np.float32), np.arange(30.0), params=told), 2)
    trees = boosting.read_trees(booster, 2)
    assert all(len(t.feature) == 0 and len(t.value) == 1 for t in trees)
    assert sum(float(t.value[0]) for t in trees) == pytest.approx(14.5)


def test_without_lightgbm_it_is_said_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(KDError, match="LightGBM can't be loaded") as caught:
        boosting.load()
    assert caught.value.code == "no_lightgbm" and "pip install -r requirements.txt" in caught.value.hint


@pytest.mark.slow
def test_the_command_line_does_not_load_it():
    code = "import sys, kd_core.cli.app, kd_core.models, kd_core.teachers; sys.exit('lightgbm' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], check=False).returncode == 0
