from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kd_core.data.preparation import prepare
from kd_core.data.view import Viewed, Views
from kd_core.errors import DataError
from kd_core.specs import DatasetSpec
from kd_core.teachers.crossfit import folds


def test_classes_are_spread_evenly():
    y = np.repeat([0, 1, 2], [100, 43, 7])
    found = folds(y, None, 5, 0)
    for c in range(3):
        counts = np.bincount(found[y == c], minlength=5)
        assert counts.max() - counts.min() <= 2
    sizes = np.bincount(found)
    assert len(sizes) == 5 and sizes.max() - sizes.min() <= 1


def test_targets_are_spread_evenly():
    y = np.random.default_rng(0).lognormal(size=1000).astype(np.float32)
    found = folds(y, None, 5, 0)
    means = [np.log(y[found == k]).mean() for k in range(5)]
    assert np.ptp(means) < 0.15


def test_groups_never_straddle_folds():
    rng = np.random.default_rng(0)
    groups, y = rng.integers(0, 60, 500) * 7 - 3, rng.integers(0, 2, 500)
    found = folds(y, groups, 4, 1)
    assert all(len(set(found[groups == g])) == 1 for g in set(groups))
    assert set(found) == {0, 1, 2, 3}
    assert np.bincount(found).min() > 80


def test_no_fold_gets_all_the_largest_groups():
    """Dealt there and back: 20 groups of 2, 4 ... 40 rows give 84 rows a fold; dealt round and round, 68 to 100."""
    groups = np.repeat(np.arange(20), np.arange(2, 42, 2))
    assert np.bincount(folds(np.zeros(420, np.int64), groups, 5, 0)).tolist() == [84] * 5


def test_the_seed_decides():
    y = np.arange(50) % 2
    assert np.array_equal(folds(y, None, 5, 3), folds(y, None, 5, 3))
    assert not np.array_equal(folds(y, None, 5, 3), folds(y, None, 5, 4))


def test_constant_targets_still_get_folds():
    assert set(folds(np.zeros(10, np.float32), None, 5, 0)) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("groups", "text"),
    [
        (None, "5 folds need at least 5 rows, the training part has 4"),
        (np.array([1, 1, 2, 2]), "5 folds need at least 5 groups of rows that stay together, the training part has 2"),
    ],
)
def test_too_few_is_said(groups, text):
    with pytest.raises(DataError, match=text):
        folds(np.array([0, 1, 0, 1]), groups, 5, 0)


def test_many_groups_are_dealt_quickly():
    rng = np.random.default_rng(0)
    groups, y = rng.integers(0, 25_000, 400_000), rng.integers(0, 2, 400_000)
    found = folds(y, groups, 5, 0)
    assert np.ptp(np.bincount(found)) < 0.02 * 80_000


def many_categories(path, task, grouped=False):
    rng = np.random.default_rng(0)
    target = {"binary": rng.choice(["n", "y"], 400), "multiclass": rng.choice(["a", "b", "c"], 400)}
    frame = pd.DataFrame(
        {
            "shop": [f"s{i}" for i in rng.integers(0, 50, 400)],
            "size": rng.normal(size=400).round(3),
            "basket": rng.integers(0, 90, 400),
            "target": target.get(task, rng.normal(size=400).round(3)),
        }
    )
    frame.to_csv(path, index=False)
    return prepare(DatasetSpec(source=str(path), target="target", task=task, group="basket" if grouped else None))


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_what_a_fold_teacher_sees_does_not_depend_on_the_held_out_targets(tmp_path, task, grouped):
    data = many_categories(tmp_path / "a.csv", task, grouped)
    held = folds(data.train.y, data.train.groups, 3, 0) == 0
    y = data.train.y.copy()
    y[held] = -y[held] if task == "regression" else (y[held] + 1) % len(data.classes)
    frame = data.rows[list(data.view().view.types)]
    encoder = type(data.view().view)(data.view().view.types, task, data.view().view.seed)
    x = encoder.fit_transform(frame.iloc[data.train.row_ids], y, data.train.groups)
    assert not np.allclose(
        x[~held], data.view().parts["train"][~held]
    )  # the usual encoding of the other rows does know them
    parts = {**data.parts, "train": replace(data.train, y=y)}
    seen = Viewed(data.view().spec, {**data.view().parts, "train": x}, encoder)
    turned = replace(data, parts=parts, views=Views({"table": lambda: seen}))
    turned = turned.without("table", held)
    straight = data.without("table", held)
    assert [len(p) for p in straight] == [(~held).sum(), len(data.validation), held.sum()]
    assert all(np.array_equal(a, b) for a, b in zip(straight, turned, strict=True))


@pytest.mark.parametrize("gone", [1, 2])
def test_classes_that_lie_in_the_held_out_rows_altogether(tmp_path, gone):
    data = many_categories(tmp_path / "a.csv", "multiclass")
    rest, validation, held = data.without("table", data.train.y < gone)
    assert len(rest) == (data.train.y >= gone).sum()
    assert rest.shape[1] == validation.shape[1] == held.shape[1]
    assert np.isfinite(rest).all() and np.isfinite(held).all()


def test_columns_without_targets_stay_as_they_are(tmp_path):
    data = many_categories(tmp_path / "a.csv", "binary")
    held = np.arange(len(data.train)) % 3 == 0
    rest, _, _ = data.without("table", held)
    column = data.view().view.feature_names.index("size")
    assert np.array_equal(rest[:, 0], data.view().parts["train"][~held][:, column])
    plain = replace(data, views=Views.of_table(data.view().parts))
    assert np.array_equal(plain.without("table", held)[2], data.view().parts["train"][held])
