"""Rows with the same values in every feature, and what is done about them.

A row that stands in train and in test is recognised, not predicted: a teacher that knows rows by heart looks better than
it is on new ones. So copies are kept on one side of the split and in one fold, as rows of one group are. Legend: N rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from kd_core.data.types import row_hash
from kd_core.data.types.base import TypedColumn
from kd_core.limits import COPIES_SHARE
from kd_core.specs import Copies

State = Literal["none", "natural", "apart", "large", "few", "together"]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CopiedRows:
    """Rows with the same features, the units they make with the groups, and whether the units are kept whole.

    Shape: `same` (N,) equal where all features are, -1 where the row is left out; `units` (N,) rows that stay together, or
    None where every row stands alone. `state`: `none` no copies; `natural` few different rows can exist; `apart` as asked;
    `large` a unit would hold too many rows; `few` fewer than 3 units would be left; `together` kept whole.
    """

    same: Codes
    count: int
    state: State
    units: Codes | None
    largest: int = 0


def find_copies(
    features: list[TypedColumn],
    present: npt.NDArray[np.bool_],
    groups: Codes | None,
    wanted: Copies = "together",
    within: bool = False,
) -> CopiedRows:
    """Find copies among the rows in use and join them, with the groups where there are some.

    `within`: rows are compared inside their group alone, so that only there a row is a copy of another: the same product may answer many searches.
    Shape: `present` (N,) rows with a target; `groups` (N,) or None.
    """
    same = np.full(len(present), -1, np.int64)
    num_rows = int(present.sum())
    if features and num_rows:
        keys = row_hash.row_hashes([c.values for c in features])[present]
        same[present] = np.unique(keys, return_inverse=True)[1]
        if within and groups is not None:
            both = np.stack([same[present], groups[present]], axis=1)
            same[present] = np.unique(both, axis=0, return_inverse=True)[1].reshape(-1)
    count = num_rows - (int(same.max()) + 1) if features and num_rows else 0
    if not count:
        return CopiedRows(same, 0, "none", groups)
    if _natural(features, num_rows):
        return CopiedRows(same, count, "natural", groups)
    if wanted == "apart":
        return CopiedRows(same, count, "apart", groups)
    units = np.arange(len(present)) if groups is None else groups.copy()
    units[present], members = _joined(same[present], units[present])
    sizes = np.bincount(units[present])
    largest = int(sizes[members > 1].max(initial=0))  # a group that is large by itself is the person's choice
    state: State = "together"
    if largest > COPIES_SHARE * num_rows:
        state = "large"
    elif (sizes > 0).sum() < 3:
        state = "few"
    return CopiedRows(same, count, state, units if state == "together" else groups, largest)


def _natural(features: list[TypedColumn], num_rows: int) -> bool:
    """Say whether so few different rows can exist that copies are expected; free text and pictures are without bounds."""
    possible = [np.inf if c.kind in ("text", "picture") else min(c.distinct + 1.0, 1e6) for c in features]
    return bool(np.prod(possible) < 10 * num_rows)


def _joined(same: Codes, groups: Codes) -> tuple[Codes, Codes]:
    """Join groups that share a copied row, directly or over others; a unit is called by its lowest group.

    Without a shared row every group keeps its number, so that nothing moves in the split.
    Shape: (N,), (N,) -> unit of each row (N,), number of groups by unit.
    """
    names, at = np.unique(groups, return_inverse=True)
    nodes = len(names) + int(same.max()) + 1  # groups, then the different rows; a row ties its group to its copies
    edges: Any = coo_array((np.ones(len(at), np.int8), (at, len(names) + same)), shape=(nodes, nodes))
    part = connected_components(edges, directed=False)[1][: len(names)]
    lowest = np.full(int(part.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(lowest, part, names)
    return lowest[part][at], np.bincount(lowest[part])
