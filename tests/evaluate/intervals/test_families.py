import numpy as np
import pytest

from kd_core.evaluate.intervals.compare import Verdict, at_level, certified, p_value, verdict
from kd_core.evaluate.intervals.families import family_words, holm, simultaneous


def gain(mean, s=0.003, n=4, rows_se=0.003):
    d = np.arange(n, dtype=float)
    return certified(mean + s * (d - d.mean()) / d.std(ddof=1), rows_se)


def test_holm_adjusts_from_the_smallest_on():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.02]) == [0.02]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([0.01, None, 0.2]) == pytest.approx([0.03, None, 0.4])
    assert holm([]) == []


def test_simultaneous_intervals_are_bonferronis():
    gains = [gain(0.01), gain(0.02), gain(0.0)]
    for wide, one in ((simultaneous(gain, len(gains)), gain) for gain in gains):
        assert wide == at_level(one, 1 - 0.05 / 3)
        assert wide.high - wide.low > one.high - one.low
    assert simultaneous(gains[0], 1) == gains[0]


def test_one_student_is_judged_as_always():
    for mean in (-0.05, -0.01, 0.0, 0.01, 0.05):
        assert family_words([gain(mean)], [0.005]) == [verdict(gain(mean), 0.005)]


def test_a_gain_that_stands_alone_may_not_stand_among_five():
    gains = [gain(0.0085), *(gain(0.0) for _ in range(4))]
    assert verdict(gains[0], 0.005).word == "beats"
    assert family_words(gains, [0.005] * 5)[0] == Verdict("inconclusive")


def weaker(gains, margins):
    """The rule as it is told: Holm's word and the interval's, the weaker of both."""
    strength = {"inconclusive": 0, "ties": 1, "beats": 2, "hurts": 2}
    found = []
    wides = [simultaneous(g, len(gains)) for g in gains]
    for g, wide, p, m in zip(gains, wides, holm([p_value(g) for g in gains]), margins, strict=True):
        shown = verdict(wide, m).word
        tested = ("beats" if g.mean > 0 else "hurts") if p < 0.05 else "ties" if shown == "ties" else "inconclusive"
        found.append(min(shown, tested, key=strength.get))
    return found


@pytest.mark.slow
def test_the_word_is_the_weaker_of_holms_and_the_intervals():
    rng, differ = np.random.default_rng(0), 0
    for _ in range(200):
        gains = [gain(rng.normal(0, 0.012)) for _ in range(3)]
        words = [v.word for v in family_words(gains, [0.005] * 3)]
        assert words == weaker(gains, [0.005] * 3)
        adjusted = holm([p_value(g) for g in gains])
        differ += any(p < 0.05 and w not in ("beats", "hurts") for p, w in zip(adjusted, words, strict=True))
    assert differ  # Holm alone would have said more, at least once


@pytest.mark.slow
def test_words_without_an_effect_are_wrong_in_five_percent_of_runs():
    rng, wrong = np.random.default_rng(1), 0
    for _ in range(1500):
        rows = rng.normal(0, 0.003)
        gains = [certified(rows + rng.normal(0, 0.003, 4), 0.003) for _ in range(4)]
        wrong += any(v.word in ("beats", "hurts") for v in family_words(gains, [0.005] * 4))
    assert wrong / 1500 < 0.06
