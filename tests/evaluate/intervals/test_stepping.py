"""Holm's step-down on paired differences, against scipy's t tests and a reference written out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kd_core.evaluate.intervals.stepping import behind

NEAR, FAR, NOISY = (
    [0.001, 0.002, 0.0015, 0.0012, 0.0018],
    [0.03, 0.031, 0.029, 0.0305, 0.0295],
    [0.02, -0.02, 0.01, 0.0],
)

PATIENT = settings(deadline=None)


def holm_by_hand(p_values, members=0):
    """R's p.adjust(p, 'holm', n=members)."""
    order, found, highest = np.argsort(p_values, kind="stable"), np.zeros(len(p_values)), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (max(len(p_values), members) - rank) * p_values[place]))
        found[place] = highest
    return found


def words_by_hand(differences, margin, pairs=0):
    """Two families of two-sided t tests, at the margin and at 0, each adjusted by Holm."""
    below, above = [], []
    for values in differences:
        p_below, p_above = (float(stats.ttest_1samp(values, at).pvalue) for at in (margin, 0.0))
        below.append(p_below if np.mean(values) < margin else 1.0)
        above.append(p_above if np.mean(values) > 0 else 1.0)
    near, far = holm_by_hand(below) < 0.05, holm_by_hand(above, pairs) < 0.05
    return ["enough" if n else "worse" if f else "unclear" for n, f in zip(near, far, strict=True)]


def test_the_reference_adjusts_as_r_does():
    assert holm_by_hand([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_words_of_plain_cases():
    found = behind([NEAR, FAR, NOISY], 0.005)
    assert [b.word for b in found] == ["enough", "worse", "unclear"] == words_by_hand([NEAR, FAR, NOISY], 0.005)
    assert [b.n for b in found] == [5, 5, 4] and found[2].need is not None and found[0].need is found[1].need is None


def spread_values(mean, spread, n, seed):
    return (mean + spread * np.random.default_rng(seed).normal(size=n)).tolist()


settings_drawn = st.lists(
    st.builds(spread_values, st.floats(-0.02, 0.05), st.floats(1e-4, 0.03), st.integers(2, 12), st.integers(0, 2**20)),
    min_size=1,
    max_size=9,
)


@pytest.mark.slow
@PATIENT
@given(settings_drawn, st.floats(1e-4, 0.03), st.sampled_from([0, 4, 25]))
def test_words_and_intervals_are_those_of_scipy(differences, margin, pairs):
    found, by_hand = behind(differences, margin, None, pairs), words_by_hand(differences, margin, pairs)
    for one, word, values in zip(found, by_hand, differences, strict=True):
        near = np.mean(values) < margin and stats.ttest_1samp(values, margin).pvalue < 0.05
        assert one.word == word or (one.word, word, near) == (
            "unclear",
            "worse",
            True,
        )  # or the weaker one, where the shown interval asks for it
        low, high = stats.t.interval(one.level, len(values) - 1, np.mean(values), stats.sem(values))
        assert (one.low, one.high) == (pytest.approx(low, abs=1e-12), pytest.approx(high, abs=1e-12))
        assert (one.high < margin) == (one.word == "enough")  # a word never says more than the interval beside it
        assert one.word != "worse" or one.low > 0
        assert one.word != "unclear" or one.low <= 0


@PATIENT
@given(settings_drawn, st.floats(1e-4, 0.03), st.randoms(use_true_random=False), st.sampled_from([2.0, 100.0, 0.125]))
def test_neither_order_nor_unit_matters(differences, margin, random, factor):
    order = list(range(len(differences)))
    random.shuffle(order)
    found = behind(differences, margin)
    turned = behind([differences[i] for i in order], margin)
    assert [turned[order.index(i)].word for i in range(len(order))] == [b.word for b in found]
    scaled = behind([[factor * v for v in d] for d in differences], factor * margin)
    assert [b.word for b in scaled] == [b.word for b in found]


@PATIENT
@given(settings_drawn, st.floats(1e-3, 0.03))
def test_the_seeds_that_would_settle_it_are_the_fewest(differences, margin):
    for one, values in zip(behind(differences, margin), differences, strict=True):
        if one.word != "unclear" or one.need is None or one.need > 3_000:
            continue
        room, spread = max(margin - np.mean(values), np.mean(values)), np.std(values, ddof=1)

        def fits(n, tail=(1 - one.level) / 2, room=room, spread=spread):
            return stats.t.isf(tail, n - 1) * spread / np.sqrt(n) < room

        assert fits(one.need) and one.need > len(values)
        assert one.need - 1 == len(values) or not fits(one.need - 1)


def test_more_comparisons_make_wider_intervals():
    alone, among = behind([NOISY], 0.005)[0], behind([NOISY], 0.005, members=20)[0]
    assert among.high - among.low > alone.high - alone.low
    assert (alone.level, among.level) == (pytest.approx(0.95), pytest.approx(1 - 0.05 / 20))


def test_the_best_of_many_is_partly_the_luckiest_so_that_worse_asks_for_more():
    off = [0.010, 0.013, 0.008, 0.012]
    few, many = behind([off], 0.005, pairs_looked_at=1)[0], behind([off], 0.005, pairs_looked_at=100)[0]
    assert (few.word, many.word) == ("worse", "unclear") and many.low < 0 < few.low
    near = [0.0001, 0.0002, 0.0003, 0.0002]
    assert behind([near], 0.005, pairs_looked_at=100)[0] == behind([near], 0.005)[0]  # luck makes nothing look near


def test_one_seed_tells_nothing_and_asks_for_three():
    (found,) = behind([[0.0]], 0.005)
    assert (found.word, found.low, found.high, found.need, found.n) == ("unclear", None, None, 3, 1)


def test_equal_scores_have_no_width():
    same, off = behind([[0.0, 0.0], [0.02, 0.02]], 0.005)
    assert (same.word, same.low, same.high) == ("enough", 0.0, 0.0) and (off.word, off.low) == ("worse", 0.02)


def test_where_no_number_of_seeds_would_do_none_is_told():
    assert behind([[0.0, 0.01, -0.01]], 0.0)[0].need is None


def test_a_setting_without_a_common_seed_is_refused():
    with pytest.raises(ValueError, match="shares no seed with the best one"):
        behind([[]], 0.005)
