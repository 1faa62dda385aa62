"""The rule that chooses a candidate: a function of scores, bytes and time."""

from __future__ import annotations

import math

import pytest

from kd_core.runs.cells.cell_scores import Judge
from kd_core.runs.choosing.rule import Candidate, decide, other_counts, settle
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
    assert chosen([one("a", 9, 10.0), one("b", 5, 12.0), one("c", 3, 12.1)], ERRORS, score=12).chosen == "b"


def test_with_a_limit_beside_the_score_the_best_that_keeps_it():
    """The smallest would just reach the score on validation rows, and easily miss it on others."""
    said = chosen(FOUR, score=0.8, bytes=10_000)
    assert (said.chosen, said.rule, said.missed) == ("middle", "best_within", ())
    arms = both("a", 100, 0.85, 0.904, "baseline", other=90)
    assert chosen([arms], score=0.8, bytes=200).arm == "baseline"
    assert not other_counts(arms, ChooseSpec(score=0.8, bytes=200), POINTS)


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
    (nofile,) = found[1].models()
    assert nofile.over({"bytes": 5.0}) == {"bytes": math.inf} and not nofile.keeps({"bytes": 5.0})
    assert found[0].models() == ()


def both(name, size, taught, alone, arm, other=None, **more):
    """A candidate whose better arm has its file, and with `other` bytes also the other one."""
    worse = None if other is None else {"bytes": other, "microseconds": 50.0}
    return one(name, size, taught, alone=alone, arm=arm, other=worse, **more)


def test_the_arm_without_a_teacher_is_chosen_by_the_same_rule():
    """Taught, piecewise is ahead of trees; alone, trees are the best that keep the limit."""
    found = [both("piecewise", 9_000, 43.6, 44.0, "student"), both("trees", 30_000, 44.2, 42.3, "baseline")]
    said = chosen(found, ERRORS, bytes=40_000)
    assert (said.chosen, said.arm, said.best, said.best_arm) == ("trees", "baseline", "trees", "baseline")
    assert chosen(found, ERRORS, bytes=20_000).chosen == "piecewise"
    assert chosen(found, ERRORS, bytes=20_000).arm == "student"
    taught_too = [found[0], both("trees", 30_000, 44.2, 42.3, "baseline", other=9_500)]
    assert chosen(taught_too, ERRORS, bytes=10_000).chosen == "piecewise"
    assert chosen(taught_too[1:], ERRORS, bytes=10_000).arm == "student"  # the better arm's file exceeds the limit


def test_an_arm_without_a_file_of_its_own_is_not_chosen():
    """Results of before say nothing of the other arm: the taught one is what they chose among."""
    old = [one("a", 100, 0.80, alone=0.90), one("b", 100, 0.81, alone=0.2)]
    assert (chosen(old, bytes=200).chosen, chosen(old, bytes=200).arm) == ("b", "student")


def test_where_the_best_is_asked_for_a_teacher_has_no_advantage_but_in_a_full_tie():
    assert chosen([both("a", 100, 0.900, 0.901, "baseline", other=90)], bytes=200).arm == "baseline"
    assert chosen([both("a", 100, 0.901, 0.900, "student", other=90)], bytes=200).arm == "student"
    assert chosen([both("a", 100, 0.9, 0.9, "student", other=100)], bytes=200).arm == "student"


def test_where_the_smallest_is_asked_for_near_ties_take_the_smaller_then_the_taught():
    """Within the margin of 0.005, and within a twentieth of the bytes, the arms are equal."""
    assert chosen([both("a", 100, 0.900, 0.904, "baseline", other=104)]).arm == "student"
    assert chosen([both("a", 100, 0.900, 0.904, "baseline", other=106)]).arm == "baseline"
    assert chosen([both("a", 100, 0.904, 0.900, "student", other=94)]).arm == "baseline"
    assert chosen([both("a", 100, 0.904, 0.900, "student", other=96)]).arm == "student"
    assert chosen([both("a", 100, 0.898, 0.904, "baseline", other=100)]).arm == "baseline"
    reach = [both("a", 100, 0.85, 0.904, "baseline", other=101)]
    assert chosen(reach, score=0.8).arm == "baseline"  # it reaches the score too, but is worse by more than the margin
    assert chosen([both("a", 100, 0.901, 0.904, "baseline", other=101)], score=0.9).arm == "student"


def test_the_other_arms_file_is_written_only_where_it_could_be_chosen():
    near, far = both("a", 100, 0.900, 0.904, "baseline"), both("a", 100, 0.890, 0.904, "baseline")

    def wanted(found, judge=POINTS, **goals):
        return other_counts(found, ChooseSpec(**goals), judge)

    assert wanted(near) and not wanted(far)
    assert not wanted(near, bytes=100) and wanted(near, bytes=99)
    assert not wanted(near, microseconds=50) and wanted(near, microseconds=49)
    assert wanted(far, score=0.89) and not wanted(far, score=0.891)
    assert wanted(both("a", 100, 10.1, 10.0, "baseline"), ERRORS)
    assert not wanted(both("a", 100, 10.3, 10.0, "baseline"), ERRORS)


def settled(candidate, taught, alone, judge=POINTS, **goals):
    asked = ChooseSpec(**goals)
    decision = decide([candidate], asked, judge)
    return decision.arm, settle(decision, candidate, asked, judge, {"student": taught, "baseline": alone})


def test_all_seeds_settle_which_arm_is_taken_by_the_rule_of_the_choice():
    lucky = both("a", 100, 0.910, 0.900, "student", other=100)
    assert settled(lucky, 0.900, 0.901, bytes=200) == ("student", "baseline")  # the best is asked for
    assert settled(lucky, 0.901, 0.900, bytes=200) == ("student", "student")
    assert settled(lucky, 0.900, 0.904) == ("student", "student")  # the smallest is: within the margin the taught one
    assert settled(lucky, 0.900, 0.906) == ("student", "baseline")
    assert settled(lucky, 0.900, 0.904, score=0.902) == (
        "student",
        "baseline",
    )  # only that one reaches what was asked for
    assert settled(both("a", 100, 44.2, 42.3, "baseline", other=100), 40.0, 41.0, ERRORS, bytes=200) == (
        "baseline",
        "student",
    )


def test_no_arm_is_taken_up_that_exceeds_a_limit_or_is_clearly_larger():
    large = both("a", 100, 0.910, 0.900, "student", other=300)
    assert settled(large, 0.8, 0.9, bytes=200) == ("student", "student")
    assert settled(both("a", 100, 0.910, 0.909, "student", other=120), 0.8, 0.9) == ("student", "student")
    assert (
        settled(both("a", 300, 0.910, 0.900, "student", other=290), 0.8, 0.9, bytes=200)[1] == "baseline"
    )  # chosen as the nearest
    assert settled(both("a", 100, 0.9, 0.8, "student"), None, 0.9, bytes=200) == ("student", "student")
