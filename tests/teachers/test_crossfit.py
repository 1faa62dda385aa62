import numpy as np
import pytest

from kd_core.errors import DataError
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
        (np.array([1, 1, 2, 2]), "5 folds need at least 5 groups, the training part has 2"),
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
