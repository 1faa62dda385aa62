import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kd_core.errors import KDError
from kd_core.evaluate.intervals import compare
from kd_core.evaluate.intervals.compare import Interval, Verdict


def test_the_interval_is_the_paired_t_interval():
    student, baseline = [0.91, 0.93, 0.92], [0.90, 0.91, 0.905]
    found = compare.paired(student, baseline)
    expected = stats.ttest_rel(student, baseline).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.mean == pytest.approx(0.015)
    assert found.n == 3


def test_pairing_removes_what_both_arms_share():
    baseline = np.array([0.5, 0.7, 0.9])
    found = compare.paired(baseline + 0.01, baseline)
    assert found.high - found.low < 1e-12


def test_above_zero_means_better_for_errors_too():
    found = compare.paired([1.0, 1.1, 0.9], [2.0, 2.2, 1.9], better="lower")
    assert found.mean == pytest.approx(1.0333, abs=1e-3)
    assert found.low > 0
    assert compare.verdict(found, 0.01).word == "beats"
    assert compare.verdict(compare.paired([2.0, 2.2, 1.9], [1.0, 1.1, 0.9], "lower"), 0.01).word == "hurts"


def test_one_seed_has_a_mean_and_no_bounds():
    assert compare.paired([0.9], [0.8]) == Interval(pytest.approx(0.1), None, None, 1)
    assert compare.verdict(compare.paired([0.9], [0.8]), 0.005) == Verdict("inconclusive")


def test_sides_that_do_not_pair_are_refused():
    with pytest.raises(KDError, match="2 student values can't be paired with 3 baseline values"):
        compare.paired([1, 2], [1, 2, 3])
    with pytest.raises(KDError, match="0 student values"):
        compare.paired([], [])
    with pytest.raises(KDError, match="not a finite number") as caught:
        compare.paired([1.0, float("nan")], [1.0, 2.0])
    assert caught.value.code == "not_finite"


@pytest.mark.parametrize(
    ("low", "high", "word", "small"),
    [
        (0.001, 0.02, "beats", False),
        (0.001, 0.004, "beats", True),
        (-0.02, -0.001, "hurts", False),
        (-0.004, -0.001, "hurts", True),
        (-0.004, 0.004, "ties", False),
        (0.0, 0.004, "ties", False),
        (0.0, 0.0, "ties", False),
        (-0.001, 0.006, "inconclusive", False),
        (-0.02, 0.02, "inconclusive", False),
        (-0.005, 0.004, "inconclusive", False),
    ],
)
def test_the_rules_of_the_verdict(low, high, word, small):
    assert compare.verdict(Interval((low + high) / 2, low, high, 3), 0.005) == Verdict(word, small)


@pytest.mark.slow
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=8), st.floats(1e-4, 0.1))
def test_swapping_the_arms_mirrors_the_verdict(pairs, margin):
    ours, theirs = zip(*pairs, strict=True)
    there = compare.verdict(compare.paired(ours, theirs), margin)
    back = compare.verdict(compare.paired(theirs, ours), margin)
    mirror = {"beats": "hurts", "hurts": "beats"}
    assert back == Verdict(mirror.get(there.word, there.word), there.small)


def test_relative_margins_are_a_share_of_the_baseline():
    assert compare.margin_in_units(0.02, True, [9.0, 11.0]) == pytest.approx(0.2)
    assert compare.margin_in_units(0.005, False, [9.0, 11.0]) == 0.005


def test_half_width():
    values = [1.0, 2.0, 4.0]
    assert compare.half_width(values) == pytest.approx(stats.t.ppf(0.975, 2) * stats.sem(values))
    assert compare.half_width([1.0]) == 0.0


def test_95_percent_intervals_cover_normal_gains_95_percent_of_the_time():
    rng = np.random.default_rng(0)
    found = [compare.paired(rng.normal(0.3, 1, 3), np.zeros(3)) for _ in range(3000)]
    assert np.mean([i.low <= 0.3 <= i.high for i in found]) == pytest.approx(0.95, abs=0.012)
