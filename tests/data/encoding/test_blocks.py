"""Averages of the target in one cross-fitted encoder, compared bit for bit with one encoder fitted for each fold."""

import numpy as np
import pytest
from sklearn.preprocessing import TargetEncoder

from kd_core.data.encoding.blocks import _folds, target_averages


def fold_by_fold(codes, y, kind, folds):
    """Encode each fold by an encoder that was fitted on the other folds alone."""

    def fitted(rows):
        return TargetEncoder(target_type=kind, smooth="auto").fit(codes[rows], y[rows])

    full = fitted(np.full(len(y), True))
    found = np.empty((len(y), full.transform(codes[:1]).shape[1]))
    for k in np.unique(folds):
        held = folds == k
        lost = kind != "continuous" and len(np.unique(y[~held])) < len(full.classes_)
        found[held] = full.target_mean_ if lost or held.all() else fitted(~held).transform(codes[held])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("grouped", [False, True, "one group"])
@pytest.mark.parametrize(("kind", "classes"), [("binary", 2), ("multiclass", 5), ("continuous", 0)])
def test_averages_equal_an_encoder_for_each_fold(kind, classes, grouped):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(10, 500))
        codes = rng.integers(0, rng.integers(2, 200), (n, 1))
        y = rng.normal(0, 100, n)
        if classes:  # the last class is rare: in small tables it lies in one fold alone
            y = np.unique(np.minimum(rng.geometric(0.6, n), classes), return_inverse=True)[1]
        groups = {False: None, True: rng.integers(0, n // 4, n), "one group": np.zeros(n, np.int64)}[grouped]
        folds = _folds(n, groups, seed)
        encoder, encoded = target_averages(codes, y, kind, folds)
        assert encoded.tobytes() == fold_by_fold(codes, y, kind, folds).tobytes()
        other = rng.integers(0, 250, (50, 1))  # some of them unknown
        alone = TargetEncoder(target_type=kind, smooth="auto").fit(codes, y)
        assert encoder.transform(other).tobytes() == alone.transform(other).tobytes()


def test_a_class_in_one_fold_alone_gets_the_overall_shares_there():
    codes, y = np.arange(40)[:, None] % 7, np.arange(40) % 2
    y[3], folds = 2, np.arange(40) % 5
    encoder, encoded = target_averages(codes, y, "multiclass", folds)
    assert (encoded[folds == 3] == encoder.target_mean_).all()
    assert (encoded[folds != 3] != encoder.target_mean_).any(axis=1).all()


def test_groups_lie_in_one_fold():
    groups = np.random.default_rng(0).integers(0, 50, 400)
    folds = _folds(400, groups, 3)
    assert all(len(np.unique(folds[groups == g])) == 1 for g in range(50))
    assert np.unique(folds).tolist() == [0, 1, 2, 3, 4]
