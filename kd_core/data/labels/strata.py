"""Rows with several labels as strata, so that a split and folds share out every label evenly."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def rarest(y: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Give each row the stratum of its rarest label, counted over all rows; rows without a label are one stratum more.

    A rare label so has its share in every part; a common one follows from the rows that have no rarer label. Strata that no row has
    are left out. Shape: (N, T) of 0 and 1 -> (N,), counted from 0.
    """
    order = np.argsort(-y.sum(axis=0, dtype=np.float64), kind="stable")  # commonest first
    ranked = y[:, order] > 0
    width = ranked.shape[1]
    last = width - 1 - np.argmax(ranked[:, ::-1], axis=1)
    found = np.where(ranked.any(axis=1), last + 1, 0)
    return np.unique(found, return_inverse=True)[1].astype(np.int64)
