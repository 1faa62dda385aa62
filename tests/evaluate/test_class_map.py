"""Which classes look alike: lift over base rate, the order, and what a student took over."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from kd_core.evaluate import class_map
from kd_core.evaluate.soft_labels import soften


def answers(num=6, rows=200, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, num, rows)
    z = rng.normal(size=(rows, num))
    z[np.arange(rows), y] += 2
    return soften(z), y


def test_the_base_rate_of_a_class_is_its_share_in_rows_of_the_others():
    p, y = answers()
    for c in range(6):
        assert class_map.base_shares(p, y)[c] == pytest.approx(p[y != c, c].mean())
    assert np.isnan(class_map.base_shares(p[y == 1], y[y == 1])[1])


def test_lift_is_share_over_base_rate_with_small_shares_raised_to_the_floor():
    p = np.array([[0.6, 0.3, 0.1], [0.7, 0.299, 0.001], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8]])
    y = np.array([0, 0, 1, 2])
    lift = class_map.log_lift(p, y, 3)
    assert np.exp(lift[0, 1]) == pytest.approx((0.2995) / ((0.3 + 0.299 + 0.1) / 3))
    assert np.exp(lift[0, 2]) == pytest.approx(0.0505 / ((0.1 + 0.001 + 0.1) / 3))
    assert np.isnan(np.diag(lift)).all()
    sure = class_map.log_lift(np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1.0]]), np.arange(3), 3)
    assert sure[~np.eye(3, dtype=bool)] == pytest.approx(0)  # a millionth against nothing is no likeness
    assert class_map.floor(3) == pytest.approx(1 / 30)
    low = class_map.log_lift(np.array([[0.93, 0.05, 0.02], [0.0, 1, 0], [0.0, 0, 1]]), np.arange(3), 3)
    assert np.exp(low[0, 1]) == pytest.approx(0.05 / (1 / 30))


def test_a_class_without_rows_has_no_line_but_may_be_looked_like():
    p, y = answers()
    lift = class_map.log_lift(p[y != 2], y[y != 2], 6)
    assert np.isnan(lift[2]).all() and np.isfinite(np.delete(lift[:, 2], 2)).all()
    alike = class_map.likeness(lift)
    assert alike[0, 2] == alike[2, 0] == lift[0, 2] and alike[0, 1] == pytest.approx((lift[0, 1] + lift[1, 0]) / 2)
    assert class_map.likeness(np.full((2, 2), np.nan)).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("num", [2, 5, 40])
def test_the_tree_joins_as_average_linkage_does(num):
    rng = np.random.default_rng(num)
    alike = rng.normal(size=(num, num))
    alike = alike + alike.T
    found = class_map.tree(alike)
    other = linkage(squareform((100 - alike) * (1 - np.eye(num))), "average")
    assert found.heights == pytest.approx(100 - other[:, 2])
    assert found.joined.tolist() == [sorted(map(int, pair)) for pair in other[:, :2]]
    assert sorted(found.order) == list(range(num))
    members = {i: {i} for i in range(num)}
    place = np.argsort(found.order)
    for step, (a, b) in enumerate(found.joined):  # whatever is joined stands together
        members[num + step] = members[int(a)] | members[int(b)]
        at = sorted(place[list(members[num + step])])
        assert at == list(range(at[0], at[0] + len(at)))


def test_the_sides_that_meet_are_alike():
    alike = np.zeros((4, 4))
    for a, b, v in ((0, 1, 9), (2, 3, 8), (1, 3, 5), (0, 2, 1)):
        alike[a, b] = alike[b, a] = v
    order = class_map.tree(alike).order.tolist()
    assert order in ([0, 1, 3, 2], [2, 3, 1, 0])
    assert (
        class_map.tree(np.zeros((1, 1))).order.tolist() == [0] and class_map.tree(np.zeros((0, 0))).order.tolist() == []
    )


def test_no_turn_of_a_joint_brings_neighbours_nearer():
    rng = np.random.default_rng(2)
    alike = rng.normal(size=(9, 9))
    alike = (alike + alike.T) / 2
    found = class_map.tree(alike)
    near = lambda order: sum(alike[a, b] for a, b in itertools.pairwise(order))  # noqa: E731
    orders = {i: {(i,)} for i in range(9)}
    for step, (a, b) in enumerate(found.joined):
        both = itertools.product(orders[int(a)], orders[int(b)])
        orders[9 + step] = {one for x, y in both for one in (x + y, y + x)}
    assert near(found.order) == pytest.approx(max(map(near, orders[16])))


def test_how_much_of_the_way_the_student_went():
    rng = np.random.default_rng(0)
    teacher, baseline = rng.exponential(size=(2, 5, 5))
    np.fill_diagonal(teacher, np.nan)
    for share in (0.0, 0.4, 1.0):
        assert class_map.inherited(teacher, baseline, baseline + share * (teacher - baseline)) == pytest.approx(share)
    assert class_map.inherited(teacher, teacher, baseline) is None
    p, y = answers(2)
    two = class_map.log_lift(p, y, 2)
    assert class_map.inherited(two, class_map.log_lift(p[:, ::-1], y, 2), two) is None  # nothing but rounding
    assert class_map.inherited(-teacher, -2 * teacher, baseline) is None  # less than base rate is no likeness


def test_the_bounds_of_what_was_inherited_are_the_jackknifes_and_narrow_with_rows():
    rng = np.random.default_rng(1)
    wide = []
    for rows in (200, 3200):
        y = rng.integers(0, 4, rows)
        far = np.minimum((y[:, None] - np.arange(4)) % 4, (np.arange(4) - y[:, None]) % 4)
        teacher, baseline = (np.exp(-s * far + rng.normal(scale=0.8, size=(rows, 4))) for s in (1.5, 0.5))
        p = [v / v.sum(axis=1, keepdims=True) for v in (teacher, baseline, np.sqrt(teacher * baseline))]

        def lifts(keep, p=p, y=y):
            return tuple(class_map.log_lift(v[keep], y[keep], 4) for v in p)

        low, high = class_map.inherited_between(lifts, rows)
        whole = class_map.inherited(*lifts(np.ones(rows, bool)))
        some = [class_map.inherited(*lifts(np.arange(rows) % 10 != g)) for g in range(10)]
        half = stats.t.isf(0.025, 9) * np.sqrt(0.9 * np.sum((np.array(some) - np.mean(some)) ** 2))
        assert (low, high) == pytest.approx((whole - half, whole + half))
        wide.append(high - low)
    assert wide[1] < wide[0] / 2
    assert class_map.inherited_between(lambda keep: (lifts(keep)[1], lifts(keep)[1], lifts(keep)[2]), rows) is None


def test_the_largest_pairs_come_first_and_unknown_ones_never():
    lift = np.array([[np.nan, 1, 2], [3, np.nan, -1], [np.nan, np.nan, np.nan]])
    assert class_map.top_pairs(lift, 3) == [(1, 0), (0, 2), (0, 1)]
    assert len(class_map.top_pairs(lift, 99)) == 4


def test_a_likeness_that_one_row_makes_is_gone_without_it():
    p, y = answers(5, 120)
    p[y == 2, 4] = 0.02
    p[np.flatnonzero(y == 2)[3], 4] = 0.98
    found, lift = class_map.lift_without_top(p, y, 5), class_map.log_lift(p, y, 5)
    for a in range(5):
        for b in range(5):
            if a != b:
                keep = np.arange(120) != np.flatnonzero(y == a)[p[y == a, b].argmax()]
                assert found[a, b] == pytest.approx(class_map.log_lift(p[keep], y[keep], 5)[a, b])
    assert found[2, 4] < lift[2, 4] - 0.5 and np.isnan(np.diag(found)).all()
    alone = class_map.lift_without_top(p[:3], np.array([0, 1, 1]), 5)
    assert np.isnan(alone[[0, 2, 3, 4]]).all() and np.isfinite(alone[1, [0, 2, 3, 4]]).all()
    assert np.allclose(class_map.label_lift_without_top(p, np.eye(5)[y] > 0), found, equal_nan=True)


def test_labels_that_exclude_each_other_have_the_lift_of_classes():
    rng = np.random.default_rng(3)
    y = rng.integers(0, 5, 200)
    p = rng.dirichlet(np.ones(5), 200)
    found = class_map.label_lift(p, np.eye(5)[y] > 0)
    assert np.allclose(found, class_map.log_lift(p, y, 5), equal_nan=True)


def test_a_label_is_compared_on_rows_that_lack_it_and_have_the_other():
    has = np.array([[1, 0], [1, 1], [0, 0], [0, 0]], bool)
    p = np.array([[0.9, 0.6], [0.9, 0.99], [0.1, 0.2], [0.1, 0.4]])
    found = class_map.label_lift(p, has)
    assert found[0, 1] == pytest.approx(np.log(0.6 / 0.4))  # one row has a and not b; three lack b
    assert np.isnan(found[1, 0]) and np.isnan(np.diag(found)).all()  # no row has b alone
