"""Rows with labels in strata: the rarest label of a row decides."""

import numpy as np

from kd_core.data.labels.strata import rarest
from kd_core.data.split import stratified
from kd_core.teachers.crossfit import folds


def test_the_rarest_label_of_a_row_is_its_stratum():
    y = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 1], [0, 0, 0], [1, 1, 1], [1, 1, 0]])
    assert rarest(y).tolist() == [2, 1, 3, 0, 3, 2]
    assert rarest(y[:2]).tolist() == [1, 0], "numbers without gaps"


def test_a_rare_label_has_its_share_in_every_part_and_fold():
    rng = np.random.default_rng(0)
    y = (rng.random((2000, 5)) < [0.6, 0.4, 0.2, 0.05, 0.01]).astype(np.int64)
    parts = stratified(rarest(y), 0.15, 0.15, 0)
    for part, share in ((0, 0.7), (1, 0.15), (2, 0.15)):
        assert np.abs(y[parts == part][:, 3:].sum(0) / y[:, 3:].sum(0) - share).max() < 0.05
    fold = folds(y.astype(np.float32).astype(np.int64), None, 5, 0)
    assert (np.array([y[fold == k, 4].sum() for k in range(5)]) >= y[:, 4].sum() // 5 - 1).all()
