"""Categories with many values replaced by the target's average, without letting a row see its own target."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import TargetEncoder

from kd_core.data.split import row_keys

FOLDS = 5
Floats = npt.NDArray[np.float64]


class CrossFittedTargetEncoder:
    """scikit-learn's TargetEncoder, cross-fitted over folds that keep groups whole.

    scikit-learn's own `fit_transform` knows no groups: rows of one group would see each other's target.
    Source: Micci-Barreca 2001; Pargent et al. 2022, arXiv:2104.00629.
    """

    def __init__(self, target_type: str, seed: int) -> None:
        self.target_type, self.seed = target_type, seed
        self.full = self._new()

    def _new(self) -> Any:
        return TargetEncoder(target_type=self.target_type, smooth="auto", shuffle=False, cv=2)

    def fit_transform(
        self, codes: npt.NDArray[np.int64], y: npt.NDArray[Any], groups: npt.NDArray[np.int64] | None
    ) -> Floats:
        """Fit on all rows and encode each row by the other folds. Shape: (N, columns) codes -> (N, columns x classes)."""
        # `fit` alone, not `fit_transform`: the latter would cross-fit once more without groups.
        self.full.fit(codes, y)
        keys = row_keys(len(y), self.seed)
        if groups is not None:
            _, inverse = np.unique(groups, return_inverse=True)
            keys = row_keys(int(inverse.max()) + 1, self.seed)[inverse]
        fold = (keys % np.uint64(FOLDS)).astype(np.int64)
        width = self.full.transform(codes[:1]).shape[1]
        result = np.empty((len(y), width))
        for k in range(FOLDS):
            held = fold == k
            if not held.any():
                continue
            rest = ~held
            lost = self.target_type != "continuous" and len(np.unique(y[rest])) < len(self.full.classes_)
            if lost or not rest.any():  # a class, or everything, lies in this fold: there is no other to learn from
                result[held] = self.full.target_mean_
                continue
            result[held] = self._new().fit(codes[rest], y[rest]).transform(codes[held])
        return result

    def transform(self, codes: npt.NDArray[np.int64]) -> Floats:
        """Encode new rows; unknown categories get the overall average."""
        found: Floats = self.full.transform(codes)
        return found
