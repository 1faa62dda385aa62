import numpy as np
import pytest
from scipy import stats

from kd_core.evaluate.intervals.advice import SENSIBLE_SEEDS, Advice, advise, instead_of_seeds, more_seeds, too_many
from kd_core.evaluate.intervals.compare import Verdict, certified, verdict


def gain(mean, s, n, rows_se):
    """Seeds whose mean and standard deviation are exactly these."""
    d = np.arange(n, dtype=float)
    return certified(mean + s * (d - d.mean()) / d.std(ddof=1), rows_se)


def asked(found, margin, units=1000):
    return advise(found, verdict(found, margin), margin, units)


def test_a_word_that_stands_needs_nothing():
    assert asked(gain(0.02, 0.001, 5, 0.002), 0.005) == Advice("none")
    assert asked(gain(0.0, 0.0001, 5, 0.0001), 0.005) == Advice("none")


def test_seeds_when_their_part_rules():
    found = gain(0.01, 0.01, 3, 0.001)
    advice = asked(found, 0.005)
    assert advice.kind == "seeds"
    fits = lambda n: (stats.t.ppf(0.975, n - 1) * 0.01) ** 2 / n + (1.96 * 0.001) ** 2 <= 0.01**2  # noqa: E731
    assert fits(advice.need)
    assert not fits(advice.need - 1)
    assert asked(gain(0.01, 0.01, advice.need, 0.001), 0.005) == Advice("none")


def test_the_easiest_decision_may_be_a_tie():
    found = gain(0.0, 0.004, 3, 0.0001)
    advice = asked(found, 0.005)
    assert advice.kind == "seeds"
    assert verdict(gain(0.0, 0.004, advice.need + 1, 0.0001), 0.005) == Verdict("ties")


def test_rows_when_seeds_can_not_help():
    advice = asked(gain(0.01, 0.0001, 5, 0.01), 0.005, units=1000)
    assert advice == Advice("rows", 3900)  # (1.96 x .01 / .01)^2 x 1,000 = 3,842
    assert asked(gain(0.01, 0.0001, 5, 0.01 / np.sqrt(3.9)), 0.005, units=3900) == Advice("none")


def test_rows_are_not_asked_to_make_up_for_seeds():
    """The seeds' part alone is beyond what may be: half of the room is reckoned with."""
    assert asked(gain(0.01, 0.1, 3, 0.02), 0.005, units=100) == Advice("both", 3100)


def test_many_seeds_are_counted_too():
    assert asked(gain(0.01, 0.5, 3, 0.001), 0.005) == Advice("seeds", 9990)


def test_without_an_interval_the_missing_part_is_named():
    assert asked(certified([0.01], 0.001), 0.005) == Advice("seeds", 3)
    assert asked(certified([0.01, 0.02], np.inf), 0.005) == Advice("rows", None)


@pytest.mark.parametrize(
    ("seeds", "rows", "n", "expected"),
    [
        (None, None, 0, 3),
        (None, 0.1, 1, 2),
        (0.1, 0.1, 2, 1),
        (0.051, 0.1, 3, 2),
        (0.05, 0.1, 3, 0),
        (0.9, 0.1, 13, 2),
        (0.9, 0.1, 14, 1),
        (0.9, 0.1, 15, 0),
        (0.9, 0.1, 20, 0),
        (0.9, None, 3, 0),
        (0.9, 0.1, 3, 12),
        (0.15, 0.1, 3, 6),
    ],
)
def test_the_rule_for_seeds_on_auto(seeds, rows, n, expected):
    assert more_seeds(seeds, rows, n) == expected


def cover(s, rows_se, runs=40_000, seed=0):
    """Share of sequential runs whose interval holds the truth, with normal seeds and rows."""
    rng = np.random.default_rng(seed)
    seeds = rng.normal(0, s, (runs, 15))
    shared = rng.normal(0, rows_se, runs)
    covered, used, asked = np.zeros(runs, bool), np.zeros(runs, int), np.full(runs, 3)
    rows_half = 1.96 * rows_se
    for n in range(3, 16, 2):
        seeds_half = stats.t.ppf(0.975, n - 1) * seeds[:, :n].std(axis=1, ddof=1) / np.sqrt(n)
        for run in np.flatnonzero(asked == n):
            asked[run] += more_seeds(seeds_half[run], rows_half, n)
        now = (asked == n) & (used == 0)
        covered[now] = (abs(seeds[:, :n].mean(axis=1) + shared) <= np.hypot(seeds_half, rows_half))[now]
        used[now] = n
    assert (used == asked).all()
    return covered.mean(), used.mean()


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.6, 1.0, 1.5, 2.0, 4.0])
def test_intervals_keep_their_word_under_the_sequential_rule(ratio):
    covered, used = cover(ratio, 1.0)
    assert 0.94 <= covered <= 0.96, (covered, used)


@pytest.mark.parametrize(("s", "rows_se", "helps"), [(0.006, 0.00509, "rows"), (0.2, 0.001, "steadier")])
def test_beyond_a_sensible_number_of_seeds_something_else_helps(s, rows_se, helps):
    found = gain(0.01, s, 8, rows_se)
    told = asked(found, 0.005)
    assert (
        told.kind == "seeds" and told.need > SENSIBLE_SEEDS and instead_of_seeds(told.kind, told.need, found) == helps
    )
    assert instead_of_seeds("seeds", SENSIBLE_SEEDS, found) is None
    assert instead_of_seeds("rows", 11_000, found) is None and instead_of_seeds("none", None, found) is None
    assert too_many(None) and too_many(SENSIBLE_SEEDS + 1) and not too_many(SENSIBLE_SEEDS)
