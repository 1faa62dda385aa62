"""LightGBM as students and teachers use it: loaded when it is needed, on one thread, repeatable, and read without a pickle."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from kd_core.errors import KDError
from kd_core.models.tree_ensemble import Tree, float32_below

# One thread: two wait for each other at every split. By row, or it would time both ways and take the faster one.
REPEATABLE = {"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}
_MISSING_IS_NAN, _DEFAULT_LEFT = 2, 2  # bits 2-3 and bit 1 of a decision type
SEEDS = 2**31  # LightGBM's seeds are below it
_ZERO = np.float32(1e-35)  # values that are not larger, with either sign, are 0 to LightGBM (`kZeroThreshold`)


def load() -> ModuleType:
    """Import LightGBM. Errors: KDError `no_lightgbm` where it can't be imported."""
    try:
        import lightgbm
    except (ImportError, OSError) as error:  # OSError: its library, or the OpenMP library that it needs, is missing
        raise KDError(
            "LightGBM can't be loaded ({why}), and these trees are grown by it.",
            "Install it with 'pip install -r requirements.txt' (on Linux it needs the package libgomp1), or choose another architecture or teacher.",
            "no_lightgbm",
            why=str(error).splitlines()[0] if str(error) else type(error).__name__,
        ) from error
    return lightgbm


def read_trees(booster: Any, rounds: int) -> list[Tree]:
    """Take the trees of the first rounds out of a booster, in their order; no categorical splits, no linear leaves.

    Source: LightGBM, `Tree::NumericalDecision`: a missing value goes the split's own way where the column had missing values,
    else it is read as 0.
    """
    found = []
    for block in booster.model_to_string(num_iteration=rounds).split("\nTree=")[1:]:
        lines = block.split("\nend of trees")[0].splitlines()
        own = dict(line.split("=", 1) for line in lines if "=" in line)
        whole = {n: _numbers(own, n) for n in ("split_feature", "left_child", "right_child", "decision_type")}
        threshold = np.array(own.get("threshold", "").split(), dtype=np.float64)
        kind = whole["decision_type"]
        is_nan = (kind >> 2 & 3) == _MISSING_IS_NAN
        missing_left = np.where(is_nan, (kind & _DEFAULT_LEFT) > 0, threshold >= 0)
        value = np.array(own["leaf_value"].split(), dtype=np.float64)
        found.append(
            Tree(
                whole["split_feature"],
                _around_zero(float32_below(threshold)),
                missing_left,
                whole["left_child"],
                whole["right_child"],
                value,
            )
        )
    return found


def _around_zero(threshold: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Move thresholds next to 0, so that all that LightGBM reads as 0 is on the side of 0."""
    below = np.nextafter(-_ZERO, np.float32(-1))
    return np.where(np.abs(threshold) <= _ZERO, np.where(threshold < 0, below, _ZERO), threshold).astype(np.float32)


def _numbers(own: dict[str, str], name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(own.get(name, "").split(), dtype=np.int64)
