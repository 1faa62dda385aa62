"""The interval over seeds and test rows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kd_core.errors import KDError
from kd_core.evaluate import METRICS
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.intervals.compare import Gain, at_level, certified, differences, p_value, paired, verdict
from kd_core.evaluate.intervals.comparison import Comparison
from kd_core.evaluate.intervals.row_spread import row_standard_error

D = [0.015, 0.01, 0.02]


def test_both_parts_add_up_as_squares():
    found = certified(D, 0.004)
    assert found.seeds_half == pytest.approx(stats.t.ppf(0.975, 2) * stats.sem(D))
    assert found.rows_half == pytest.approx(stats.norm.ppf(0.975) * 0.004)
    half = math.hypot(found.seeds_half, found.rows_half)
    assert (found.low, found.high) == pytest.approx((0.015 - half, 0.015 + half))
    assert (found.n, found.level) == (3, 0.95)


def test_without_rows_it_is_the_interval_over_seeds():
    seeds = paired(D, [0.0] * 3)
    found = certified(D, 0.0)
    assert (found.low, found.high) == pytest.approx((seeds.low, seeds.high))


def test_one_seed_tells_the_rows_part_and_no_bounds():
    found = certified([0.01], 0.002)
    assert found == Gain(0.01, None, None, None, pytest.approx(0.00392, abs=1e-5), 1)
    assert verdict(found, 0.005).word == "inconclusive"
    assert p_value(found) is None


def test_one_unit_of_rows_gives_no_bounds():
    found = certified(D, math.inf)
    assert (found.low, found.high, found.rows_half) == (None, None, None)
    assert found.seeds_half > 0
    assert p_value(found) is None


@given(
    st.floats(-0.1, 0.1).filter(lambda m: m == 0 or abs(m) > 1e-4),
    st.floats(1e-4, 0.1),
    st.floats(1e-4, 0.1),
    st.integers(2, 9),
)
def test_the_p_value_is_the_level_at_which_the_interval_touches_zero(mean, s, rows_se, n):
    d = np.arange(n, dtype=float)
    found = certified(mean + s * (d - d.mean()) / d.std(ddof=1), rows_se)
    p = p_value(found)
    assert (p < 0.05) == (found.low > 0 or found.high < 0)
    if 1e-12 < p < 0.999:
        touching = at_level(found, 1 - p)
        assert min(abs(touching.low), abs(touching.high)) < 1e-6 + 1e-4 * abs(mean)


def test_p_values_of_pure_parts_are_the_known_ones():
    assert p_value(certified(D, 0.0)) == pytest.approx(stats.ttest_1samp(D, 0).pvalue)
    assert p_value(certified([0.01, 0.01], 0.005)) == pytest.approx(2 * stats.norm.sf(2.0))
    assert p_value(certified([1.0, 1.0], 1e-3)) == 1e-300
    assert p_value(certified([-0.01, 0.01], 0.005)) == 1.0


def test_another_level_and_back():
    found = certified(D, 0.004)
    back = at_level(at_level(found, 0.99), 0.95)
    assert (back.low, back.high, back.seeds_half) == pytest.approx((found.low, found.high, found.seeds_half))
    assert at_level(certified([0.1], 0.01), 0.99).rows_half == pytest.approx(stats.norm.ppf(0.995) * 0.01)


def test_sides_that_do_not_pair_are_refused():
    with pytest.raises(KDError, match="2 student values can't be paired with 3 baseline values"):
        differences([1, 2], [1, 2, 3])
    with pytest.raises(KDError, match="2 student values can't be paired with 1 baseline values"):
        paired([1, 2], [1])
    with pytest.raises(KDError, match="not a finite number"):
        certified([1.0, float("nan")], 0.1)
    assert differences([1, 2], [3], "lower").tolist() == [2, 1]


def arms(rows=600, seeds=3, seed=0, gains=(2.5, 1.5, 1.0)):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, rows)
    common = rng.normal(size=(rows, 2))

    def one(g, k):
        return from_logits("binary", y, common + g * np.eye(2)[y] + k * rng.normal(size=(rows, 2)))

    teacher, student, baseline = gains
    return {
        "teacher": [one(teacher, 0.1)],
        "baseline": [one(baseline, 0.4) for _ in range(seeds)],
        "student": [one(student, 0.4) for _ in range(seeds)],
    }


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "accuracy", "ece"])
def test_a_comparison_gives_each_difference_its_interval(metric):
    found = Comparison.measure(metric, arms())
    sign = -1 if metric in ("log_loss", "ece") else 1
    for first, second in (("student", "baseline"), ("student", "teacher"), ("teacher", "baseline")):
        gain = found.gain(first, second)
        expected = sign * (np.mean(found.values(first)) - np.mean(found.values(second)))
        assert gain.mean == pytest.approx(expected)
        assert gain.n == 3
        assert gain.low < gain.mean < gain.high
    back = found.gain("baseline", "student")
    assert back.mean == -found.gain("student", "baseline").mean


def test_known_values_give_the_same_gain():
    made = arms()
    found = Comparison.measure("roc_auc", made).gain("student", "teacher")
    entry = METRICS.get("roc_auc")
    values = {k: [entry.make(a) for a in v] for k, v in made.items()}
    assert Comparison.measure("roc_auc", made, values=values).gain("student", "teacher") == found


def test_an_undefined_metric_is_not_compared():
    flat = from_logits("binary", np.zeros(5, np.int64), np.zeros((5, 2)))
    assert Comparison.measure("roc_auc", {"a": [flat], "b": [flat]}) is None


def test_identical_arms_have_a_width():
    made = arms()
    same = Comparison.measure("accuracy", {"a": made["student"], "b": made["student"]}).gain("a", "b")
    assert same.mean == 0.0
    assert same.high == pytest.approx(1.96 / 600, rel=1e-3)


def test_the_gap_closed_has_an_interval_when_there_is_a_way():
    found = Comparison.measure("roc_auc", arms()).gap_closed("student", "baseline", "teacher")
    assert 0 < found.low < found.mean < found.high < 1
    errors = Comparison.measure("log_loss", arms()).gap_closed("student", "baseline", "teacher")
    assert 0 < errors.low < errors.mean < errors.high < 1
    assert (
        Comparison.measure("roc_auc", arms(gains=(0.85, 1.5, 1.0))).gap_closed("student", "baseline", "teacher") is None
    )
    assert (
        Comparison.measure("roc_auc", arms(gains=(0.5, 1.5, 1.0))).gap_closed("student", "baseline", "teacher") is None
    )


def test_the_gap_closed_moves_with_the_rows_as_a_bootstrap_says():
    made = arms(seeds=2)
    found = Comparison.measure("accuracy", made).gap_closed("student", "baseline", "teacher")
    right = {k: np.mean([a.predicted == a.y for a in v], axis=0) for k, v in made.items()}
    drawn = np.random.default_rng(1).integers(0, 600, (6_000, 600))
    t, b, s = (right[k][drawn].mean(axis=1) for k in ("teacher", "baseline", "student"))
    low, high = np.percentile((s - b) / (t - b), [16, 84])
    assert found.rows_half / 1.96 == pytest.approx((high - low) / 2, rel=0.08)


def test_intervals_cover_the_truth_over_fresh_seeds_and_rows():
    """What a seed-only interval does not: rows are drawn anew in each of the trials."""
    rng, covered, seeds_only = np.random.default_rng(0), 0, 0
    for _ in range(1500):
        per_row = rng.normal(0.02, 0.3, 400)[None] + rng.normal(0, 0.1, (3, 1)) * 0.1
        d = per_row.mean(axis=1)
        influence = per_row.mean(axis=0) - per_row.mean()
        found = certified(d, row_standard_error(influence))
        covered += found.low <= 0.02 <= found.high
        seeds_only += abs(d.mean() - 0.02) <= found.seeds_half
    assert 0.95 < covered / 1500 < 0.985  # three seeds: their t quantile is a large one beside a sure part
    assert seeds_only / 1500 < 0.85
