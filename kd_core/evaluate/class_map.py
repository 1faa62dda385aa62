"""Which classes a model finds alike, as lift over base rate, and an order that puts alike ones side by side.

Legend: N rows, C classes; p probabilities, y labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kd_core.data.dataset import Array
from kd_core.evaluate.soft_labels import class_similarity

FLOOR = 0.1  # of an even share, 1 / C: smaller shares count as that, or one row's millionth would be a likeness

GROUPS = 10  # that rows are left out in
T_OF_GROUPS = 2.2621571627  # 97.5 % of Student's t with 9 degrees of freedom
NO_WAY = 1e-12  # squared log lifts that are rounding alone: with two classes each lift is 1


def floor(num_classes: int) -> float:
    """Smallest share that counts as itself: a tenth of an even share."""
    return FLOOR / num_classes


def base_shares(p_NC: Array, y: Array) -> Array:
    """Mean share of each class over the rows of all other classes; NaN where there are none. Shape: (C,)."""
    p, y = np.asarray(p_NC, np.float64), np.asarray(y)
    own = np.zeros(p.shape[1])
    np.add.at(own, y, p[np.arange(len(y)), y])
    count = np.bincount(y, minlength=p.shape[1])
    others = len(y) - count
    return np.where(others > 0, (p.sum(axis=0) - own) / np.maximum(others, 1), np.nan)


def log_lift(p_NC: Array, y: Array, num_classes: int) -> Array:
    """Compare the mean share that rows of class a give to b with what rows of any other class give to b: 0 the same, ln 3 three times it.

    The diagonal is NaN (a class is like itself), and so is the line of a class without rows. Shape: (C, C).
    """
    y = np.asarray(y)
    least = floor(num_classes)
    mean = np.maximum(class_similarity(p_NC, y, num_classes), least)
    found = np.log(mean) - np.log(np.maximum(base_shares(p_NC, y), least))
    found[np.bincount(y, minlength=num_classes) == 0] = np.nan
    np.fill_diagonal(found, np.nan)
    return np.asarray(found)


def lift_without_top(p_NC: Array, y: Array, num_classes: int) -> Array:
    """Work out `log_lift` of each pair without the row of a that gives b most: what is left where one row makes it. NaN for a class of one row.

    Shape: (C, C).
    """
    p, y = np.asarray(p_NC, np.float64), np.asarray(y)
    least, has = floor(num_classes), np.eye(num_classes, dtype=bool)[y]
    sums, top = _sums_and_tops(p, has)
    return _without(
        sums, top, has.sum(axis=0)[:, None], np.where(has, 0.0, p).sum(axis=0), len(y) - has.sum(axis=0), least
    )


def label_lift_without_top(p_NK: Array, has_NK: Array) -> Array:
    """Work out `label_lift` of each pair without the row that gives b most. Shape: (K, K)."""
    p, has = np.asarray(p_NK, np.float64), np.asarray(has_NK, bool)
    given, lacking = np.where(has, 0.0, p), (~has).astype(np.int64)
    sums, top = _sums_and_tops(given, has)
    return _without(
        sums, top, has.T.astype(np.int64) @ lacking, given.sum(axis=0), lacking.sum(axis=0), floor(p.shape[1])
    )


def _sums_and_tops(p_NK: Array, has_NK: Array) -> tuple[Array, Array]:
    sums = has_NK.T.astype(np.float64) @ p_NK
    top = np.stack([p_NK[has_NK[:, a]].max(axis=0, initial=0.0) for a in range(p_NK.shape[1])])
    return sums, top


def _without(sums: Array, top: Array, rows: Array, given: Array, others: Array, least: float) -> Array:
    mean = np.maximum((sums - top) / np.maximum(rows - 1, 1), least)
    base = np.maximum((given - top) / np.maximum(others - 1, 1), least)
    found = np.where((rows > 1) & (others > 1), np.log(mean) - np.log(base), np.nan)
    np.fill_diagonal(found, np.nan)
    return np.asarray(found)


def label_lift(p_NK: Array, has_NK: Array) -> Array:
    """Compare the share that rows with label a, and without b, give to b with what all rows without b give to it, as `log_lift` does.

    Of labels that exclude each other it differs from `log_lift` in the rows that the diagonal leaves out alone. NaN on the diagonal and where
    no row has a and not b. Shape: (K, K).
    """
    p, has = np.asarray(p_NK, np.float64), np.asarray(has_NK, bool)
    least = floor(p.shape[1])
    lacking, mine = (~has).astype(np.float64), has.astype(np.float64)
    given = np.where(has, 0.0, p)
    rows, without = mine.T @ lacking, lacking.sum(axis=0)
    mean = np.maximum((mine.T @ given) / np.maximum(rows, 1), least)
    base = np.maximum(given.sum(axis=0) / np.maximum(without, 1), least)
    found = np.where(rows > 0, np.log(mean) - np.log(base), np.nan)
    np.fill_diagonal(found, np.nan)
    return np.asarray(found)


def likeness(lift_CC: Array) -> Array:
    """Make lift symmetric: the mean of both directions, or the one that is known, else 0. Shape: (C, C)."""
    both = np.stack([lift_CC, np.asarray(lift_CC).T])
    known = np.isfinite(both)
    return np.asarray(np.where(known, both, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


@dataclass(frozen=True)
class Tree:
    """Classes joined pair by pair, the likest first. Legend: C classes.

    `order` (C,): classes from one end to the other, neighbours as alike as the tree allows. `joined` (C - 1, 2): nodes that are joined; below C a
    class, from C on an earlier joint. `heights` (C - 1,): mean likeness between both sides, falling.
    """

    order: Array
    joined: Array
    heights: Array


def tree(likeness_CC: Array) -> Tree:
    """Join classes by average linkage, and turn the sides so that neighbours are as alike as can be, all together.

    Example:
        >>> tree(np.array([[0, 0, 2], [0, 0, 1], [2, 1, 0.0]])).order.tolist()
        [1, 2, 0]
    """
    given = np.asarray(likeness_CC, np.float64)
    num = len(given)
    between = given.copy()
    np.fill_diagonal(between, -np.inf)
    nodes, size = list(range(num)), np.ones(num)
    joined, heights = np.zeros((max(num - 1, 0), 2), np.int64), np.zeros(max(num - 1, 0))
    for step in range(num - 1):
        a, b = sorted(divmod(int(between.argmax()), num))
        joined[step], heights[step] = sorted((nodes[a], nodes[b])), between[a, b]
        mean = (size[a] * between[a] + size[b] * between[b]) / (size[a] + size[b])
        between[a], between[:, a] = mean, mean
        between[b], between[:, b] = -np.inf, -np.inf
        nodes[a], size[a] = num + step, size[a] + size[b]
    order = _turned(joined, heights, given) if num > 2 else np.arange(num)
    return Tree(np.asarray(order, np.int64), joined, heights)


def _turned(joined: Array, heights: Array, alike: Array) -> Array:
    """Turn the sides of every joint so that neighbours are as alike as the tree allows, all together."""
    from scipy.cluster.hierarchy import leaves_list, optimal_leaf_ordering  # whoever only answers rows does without
    from scipy.spatial.distance import squareform

    num = len(alike)
    rows = np.ones(2 * num - 1)
    for step, (a, b) in enumerate(joined):
        rows[num + step] = rows[a] + rows[b]
    most = float(alike.max()) + 1.0
    links = np.column_stack([joined, np.maximum.accumulate(most - heights), rows[num:]]).astype(np.float64)
    apart = most - alike
    np.fill_diagonal(apart, 0.0)
    return np.asarray(leaves_list(optimal_leaf_ordering(links, squareform(apart, checks=False))))


def inherited(teacher_CC: Array, baseline_CC: Array, student_CC: Array) -> float | None:
    """How much of the way from the baseline's likenesses to the teacher's the student went: 1 all, 0 none; None: no way to go.

    Least squares over all pairs of log lifts; below base rate is no likeness, however far.
    """
    teacher, baseline, student = (np.maximum(lift, 0.0) for lift in (teacher_CC, baseline_CC, student_CC))
    way, went = teacher - baseline, student - baseline
    known = np.isfinite(way) & np.isfinite(went)
    size = float((way[known] ** 2).sum())
    return float((way[known] * went[known]).sum()) / size if size > NO_WAY else None


def inherited_between(
    lifts: Callable[[Array], tuple[Array, Array, Array]], num_rows: int
) -> tuple[float, float] | None:
    """Bound `inherited` by which rows there are: 95 %, by leaving out each tenth of them in turn (the jackknife).

    `lifts` makes teacher's, baseline's and student's log lifts of the rows of a mask. Shape: mask (N,). None where some tenth leaves no way to go.
    """
    place, found = np.arange(num_rows) % GROUPS, []
    for group in range(GROUPS):
        share = inherited(*lifts(place != group))
        if share is None:
            return None
        found.append(share)
    whole = inherited(*lifts(place >= 0))
    half = T_OF_GROUPS * float(np.sqrt((GROUPS - 1) / GROUPS * ((np.array(found) - np.mean(found)) ** 2).sum()))
    return None if whole is None else (whole - half, whole + half)


def top_pairs(lift_CC: Array, most: int) -> list[tuple[int, int]]:
    """List the pairs (class of the rows, class they look like) with the largest lift first."""
    flat = np.where(np.isfinite(lift_CC), lift_CC, -np.inf).ravel()
    found = np.argsort(-flat, kind="stable")[:most]
    num = len(lift_CC)
    return [(int(i) // num, int(i) % num) for i in found if np.isfinite(flat[i])]
