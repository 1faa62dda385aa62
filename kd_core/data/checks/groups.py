"""Columns that can stand for the group: with rows of one group in one part, what is learned of their values holds for known groups alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.types.base import TypedColumn
from kd_core.errors import Problem, Says

OWN = 0.8  # share of groups that have a value of their own, from which it names them
FEWEST = 50  # groups; of fewer any fine number has as many values
ONE = 0.98  # share of groups with one value, from which a column counts as the same in a group: an order may last over a minute's end
ROWS = 2  # of a group, on average; below that a group is hardly more than a row

_NAMED = Says(
    "group_named",
    "warning",
    "{column} can stand for {group}: it is the same in the rows of one {group}, and {values:,} values tell {groups:,} of them apart. A model can "
    "learn them by heart, which helps with none that is new.",
    "Leave it out and compare, unless its values mean the same for new ones.",
)


def stand_ins(features: list[TypedColumn], group: TypedColumn) -> list[Problem]:
    """Find the columns that are constant within groups and hardly shared between them."""
    owners = _codes(group.values)
    counted = len(np.unique(owners[owners >= 0]))
    if counted < FEWEST or (owners >= 0).sum() < ROWS * counted:
        return []
    found = []
    for column in features:
        if column.name == group.name or column.kind not in ("number", "datetime", "category"):
            continue
        codes = _codes(column.values)
        known = (codes >= 0) & (owners >= 0)
        mine, values = owners[known], codes[known]
        groups, distinct = len(np.unique(mine)), len(np.unique(values))
        pairs = np.unique(mine * (codes.max() + 1) + values) // (codes.max() + 1)  # the group of each
        alone = (np.unique(pairs, return_counts=True)[1] == 1).mean() if groups else 0.0
        if groups >= FEWEST and alone >= ONE and distinct >= OWN * groups:
            found.append(_NAMED.problem(column.name, distinct, group=group.name, values=distinct, groups=groups))
    return found


def _codes(values: pd.Series) -> npt.NDArray[np.int64]:
    """Number the values; -1 for a missing one."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return np.asarray(values.cat.codes.to_numpy(), np.int64)
    return np.asarray(pd.factorize(values)[0], np.int64)
