"""The rule that chooses a candidate: a function of scores, bytes and time."""

from __future__ import annotations

import math

import pytest

from kd_core.runs.cells.cell_scores import Judge
from kd_core.runs.choosing.rule import Candidate, decide
from kd_core.specs import ChooseSpec

POINTS = Judge("higher", 0.005, False)
ERRORS = Judge("lower", 0.02, True)


def one(name, size, score, microseconds=50.0, alone=None, **more):
    return Candidate(name, size, microseconds, score, score if alone is None else alone, 1.0, **more)


FOUR = [one("middle", 9_000, 0.846), one("small", 5_000, 0.844), one("large", 50_000, 0.850), one("poor", 2_000, 0.8)]


def chosen(found, judge=POINTS, **goals):
    return decide(found, ChooseSpec(**goals), judge)


def test_without_goals_the_smallest_within_the_margin_of_the_best():
    said = chosen(FOUR)
    assert (said.chosen, said.rule, said.best, said.missed) == ("middle", "smallest_like_best", "large", ())
    assert said.margin == 0.005
    wider = chosen(FOUR, Judge("higher", 0.0061, False))
    assert wider.chosen == "small"


def test_a_tie_within_the_margin_takes_the_smaller_and_a_full_tie_the_first():
    assert chosen([one("a", 200, 0.9), one("b", 100, 0.897)]).chosen == "b"
    assert chosen([one("a", 100, 0.9), one("b", 100, 0.9)]).chosen == "a"
    assert chosen([one("a", 100, 0.899), one("b", 100, 0.9)]).chosen == "b"


def test_a_relative_margin_is_a_share_of_the_error():
    errors = [one("best", 300, 10.0), one("near", 200, 10.19), one("far", 100, 10.3)]
    said = chosen(errors, ERRORS)
    assert (said.chosen, said.best) == ("near", "best") and said.margin == pytest.approx(0.2)


def test_with_a_limit_the_best_score_that_keeps_it():
    assert chosen(FOUR, bytes=10_000).chosen == "middle" and chosen(FOUR, bytes=10_000).rule == "best_within"
    assert chosen(FOUR, bytes=9_000).chosen == "middle" and chosen(FOUR, bytes=8_999).chosen == "small"
    timed = [one("slow", 10, 0.9, 120.0), one("quick", 10, 0.8, 100.0), one("unknown", 10, 0.95, None)]
    assert chosen(timed, microseconds=100).chosen == "quick"  # a time that nobody measured keeps no limit


def test_with_a_score_the_smallest_that_reaches_it():
    said = chosen(FOUR, score=0.844)
    assert (said.chosen, said.rule) == ("small", "smallest_reaching")
    assert chosen(FOUR, score=0.845, bytes=10_000).chosen == "middle"
    assert chosen([one("a", 9, 10.0), one("b", 5, 12.0), one("c", 3, 12.1)], ERRORS, score=12).chosen == "b"


def test_when_nothing_reaches_the_score_the_nearest_within_the_limits():
    said = chosen(FOUR, score=0.9, bytes=10_000)
    assert (said.chosen, said.rule, said.missed) == ("middle", "nearest_score", ("score",))


def test_when_nothing_keeps_the_limits_the_one_that_exceeds_them_least():
    said = chosen(FOUR, bytes=1_000, score=0.9)
    assert (said.chosen, said.rule, said.missed) == ("poor", "nearest_limits", ("bytes", "score"))
    two = [one("small", 1_100, 0.8, 400.0), one("quick", 2_000, 0.8, 90.0)]
    said = chosen(two, bytes=1_000, microseconds=100)
    assert (said.chosen, said.missed) == ("quick", ("bytes",))  # twice as large against four times as slow


def test_what_was_left_out_is_never_chosen_and_a_missing_file_is_the_largest():
    found = [
        one("gone", 1, 0.99, left_out={"code": "time_up", "begun": True}),
        one("nofile", None, 0.9),
        one("a", 9, 0.9),
    ]
    assert chosen(found).chosen == "a"
    assert chosen([one("nofile", None, 0.9)], bytes=5).missed == ("bytes",)
    assert found[1].over({"bytes": 5.0}) == {"bytes": math.inf}
