"""Several students at once: each gets a word, and all words together are wrong in at most 5 % of runs.

Source: Holm 1979, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6.
"""

from __future__ import annotations

from collections.abc import Sequence

from kd_core.evaluate.intervals.compare import CONFIDENCE, Gain, Verdict, at_level, verdict


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p-values for being the smallest of several; below 0.05 still means what it says for one.

    Sorted upwards, the k-th of m is multiplied by m - k + 1, never falls below one before it, and ends at 1. A value
    of None (no interval) stays None, but counts as a member: it was a claim that the run set out to test.
    """
    found: list[float | None] = [None] * len(p_values)
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    highest = 0.0
    for rank, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(p_values) - rank)))
        found[place] = highest
    return found


def simultaneous(gain: Gain, members: int) -> Gain:
    """Widen an interval so that those of all members hold together in 95 % of runs (Bonferroni: level 1 - 0.05 / m)."""
    return gain if members == 1 else at_level(gain, 1 - (1 - CONFIDENCE) / members)


def family_words(gains: Sequence[Gain], margins: Sequence[float]) -> list[Verdict]:
    """Judge several students of one run; for one student this is `verdict`.

    The tests are Holm's: `beats` and `hurts` need an adjusted p-value below 0.05. Beside each word stands its
    simultaneous interval, and where the two disagree the word is the weaker one, so that no word says more than what
    is shown with it. As Holm rejects whatever Bonferroni's intervals do, and sometimes more, that is the word of the interval.
    """
    return [verdict(simultaneous(gain, len(gains)), margin) for gain, margin in zip(gains, margins, strict=True)]
