"""The curve of one setting over all others."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from kd_core.evaluate.intervals.marginal import Tried, marginal

TEMPERATURES, SHARES, SEEDS = (1.0, 4.0, 16.0), (0.25, 0.5, 0.75, 1.0), range(5)


def grid(seed: int = 0):
    rng = np.random.default_rng(seed)
    made = {
        (v, a): dict(zip(SEEDS, rng.normal(v / 100, 0.01, len(SEEDS)), strict=True))
        for v in TEMPERATURES
        for a in SHARES
    }
    return made, [Tried(v, a, held) for (v, a), held in made.items()]


def test_a_mean_and_its_interval_are_those_of_the_seeds_means():
    made, tried = grid()
    found = marginal(tried, TEMPERATURES)
    assert found.combinations == 4 and found.left_out == 0 and list(found.curve) == list(TEMPERATURES)
    for value in TEMPERATURES:
        per_seed = [np.mean([made[value, a][s] for a in SHARES]) for s in SEEDS]
        low, high = stats.t.interval(0.95, 4, loc=np.mean(per_seed), scale=stats.sem(per_seed))
        one = found.curve[value]
        assert one.n == 5 and one.mean == pytest.approx(np.mean(per_seed))
        assert (one.low, one.high) == (pytest.approx(low), pytest.approx(high))


def test_what_one_value_lacks_counts_for_none():
    made, tried = grid()
    rest = [t for t in tried if (t.value, t.others) != (16.0, 0.25)]
    found = marginal(rest, TEMPERATURES)
    assert found.combinations == 3 and found.left_out == 1
    assert found.curve[1.0].mean == pytest.approx(np.mean([made[1.0, a][s] for a in SHARES[1:] for s in SEEDS]))
    short = [
        Tried(t.value, t.others, {s: g for s, g in t.gains.items() if (t.value, t.others, s) != (4.0, 0.5, 2)})
        for t in tried
    ]
    assert marginal(short, TEMPERATURES).curve[16.0].mean == pytest.approx(
        np.mean([np.mean([made[16.0, a][s] for a in SHARES if (a, s) != (0.5, 2)]) for s in SEEDS])
    )


def test_one_seed_has_no_interval_and_nothing_in_common_no_curve():
    alone = marginal([Tried(1.0, "a", {0: 0.1}), Tried(4.0, "a", {0: 0.3})], [1.0, 4.0])
    assert alone.curve[4.0].mean == 0.3 and alone.curve[4.0].low is None and alone.curve[4.0].n == 1
    apart = marginal([Tried(1.0, "a", {0: 0.1}), Tried(4.0, "b", {0: 0.3})], [1.0, 4.0])
    assert not apart.curve and apart.combinations == 0 and apart.left_out == 2
    assert not marginal([], [1.0]).curve


def test_its_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        tried = [Tried(v, a, dict(enumerate(rng.normal(0.1, 1.0, 5)))) for v in (1, 2) for a in range(3)]
        one = marginal(tried, (1, 2)).curve[2]
        held += one.low <= 0.1 <= one.high
    assert 0.92 <= held / 400 <= 0.98
