"""How much a model leans on each column: what its score loses when the column's values are dealt anew among the rows.

Source: Breiman 2001; Fisher, Rudin, Dominici 2019, arXiv:1801.01489. Columns that say the same stand in for each other, so that
each alone looks unimportant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array
from kd_core.seeding import derive

REPEATS = 5


@dataclass(frozen=True)
class Leaning:
    """What one model loses without one column: mean over the dealings, and their standard deviation. Above 0: it leans on it."""

    column: str
    lost: float
    spread: float


def importance(
    score: Callable[[pd.DataFrame], float | None],
    frame: pd.DataFrame,
    columns: Iterable[str],
    *,
    better: str = "higher",
    repeats: int = REPEATS,
    seed: int = 0,
) -> list[Leaning]:
    """Deal each column anew `repeats` times and tell what the score loses, most important first.

    The dealings depend on the seed and the column's name alone, so that several models meet the same rows.
    Shape: `frame` (N, columns), typed. A score that is undefined gives no row.
    """
    whole, sign = score(frame), 1.0 if better == "higher" else -1.0
    if whole is None:
        return []
    found = []
    for column in columns:
        lost = []
        for order in dealings(column, len(frame), repeats, seed):
            changed = frame.copy()
            changed[column] = frame[column].iloc[order].set_axis(frame.index)
            value = score(changed)
            if value is not None:
                lost.append(sign * (whole - value))
        if lost:
            found.append(Leaning(column, float(np.mean(lost)), float(np.std(lost, ddof=1)) if len(lost) > 1 else 0.0))
    return sorted(found, key=lambda one: -one.lost)


def dealings(column: str, rows: int, repeats: int, seed: int) -> list[Array]:
    """Return the orders in which a column's values are dealt."""
    rng = np.random.default_rng(derive(seed, "importance", column))
    return [rng.permutation(rows) for _ in range(repeats)]


def alike(first: Iterable[Leaning], second: Iterable[Leaning]) -> float | None:
    """Tell how alike two models rank the columns: Spearman's correlation of what they lose; None for fewer than three columns."""
    ours, theirs = ({one.column: one.lost for one in side} for side in (first, second))
    common = sorted(ours.keys() & theirs.keys())
    if len(common) < 3:
        return None
    ranks = [pd.Series([side[name] for name in common]).rank() for side in (ours, theirs)]
    if any(rank.nunique() < 2 for rank in ranks):
        return None
    return float(ranks[0].corr(ranks[1]))
