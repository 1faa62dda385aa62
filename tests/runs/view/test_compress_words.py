"""What is said of a run that made a student smaller: every number of a sentence is one of the result."""

import re

import pytest

from kd_core.runs.view import compress_words as words
from kd_core.runs.view.smaller import told
from tests.runs.view.compressed_block import AGAIN, HALF, INT8, compressed, difference, stage


def numbers(text):
    return [float(n) for n in re.findall(r"(?<![\w.])[+-]?\d+(?:\.\d+)?", text.replace("+-", ""))]


def of(block, name):
    return next(one for one in block["stages"] if one["name"] == name)


def test_a_chain_is_written_stage_by_stage():
    block = compressed()
    expected = "student 84 KB 0.9271 -> half 46 KB 0.9140 -> half-again 46 KB 0.9268 -> half-again-int8 14 KB 0.9265"
    assert words.chain(block, block["chains"][0]) == expected
    block["stages"][4] |= {"reason": "it has no layers", "bytes": None, "scores": []}
    assert words.chain(block, [0, 4]) == "student 84 KB 0.9271 -> int8 not made"
    assert "int8 could not be made: it has no layers." in "\n".join(told.lines({"compressed": block}))


def test_what_misses_a_goal_is_not_written_like_the_goal():
    block = compressed()
    flags = [
        {"code": "lost", "sure": False},
        {"code": "unproved_loss"},
        {"code": "above_bytes", "value": 20_900, "most": 20_480},
        {"code": "above_bytes", "value": 20_485, "most": 20_480},
        {"code": "above_microseconds", "value": 50.4, "most": 50.0},
        {"code": "above_microseconds", "value": 12_040.0, "most": 12_000.0},
    ]
    lost = {**difference(1.02, 0.4), "ci95": [-3.0, 1.004]}
    said = words.flags(block, stage(5, 0, INT8, "x", bytes=90_000, lost=lost, flags=flags))
    assert said == [
        "LOST MORE than the goal, though not for sure: 1.02 points, and at most 1 point may be lost",
        "NOT PROVED to keep the goal of at most 1 point lost: it may lose up to 1.004 points",
        "ABOVE THE GOAL: 20.4 KB, and 20 KB are asked for",
        "ABOVE THE GOAL: 20.005 KB, and 20 KB are asked for",
        "ABOVE THE GOAL: 50.4 us a row, and 50 us are asked for",
        "ABOVE THE GOAL: 12.04 ms a row, and 12.00 ms are asked for",
    ]


def test_what_is_wrong_with_a_stage_is_said_with_both_numbers():
    block = compressed()
    assert words.flags(block, of(block, "half")) == [
        "LOSES MORE than the goal: 1.31 points, and at most 1 point may be lost"
    ]
    unlike, slower = words.flags(block, of(block, "int8"))
    assert slower == "SLOWER than student: a row 50 us -> 90 us; 256 rows of the network alone 9.50 ms -> 58 ms"
    assert unlike.endswith("the same answer on 98.7% of test rows")
    alike = {"code": "slower", "runtime": "whole", "batch": 1, "milliseconds": 0.0172, "before": 0.0168, "ratio": 1.13}
    near = {**of(block, "int8"), "flags": [{**alike, "than": "student"}]}
    assert words.flags(block, near) == ["SLOWER than student: a row 1.1 times as long, round by round"]
    again = {**of(block, "half-again-int8"), "flags": [{"code": "unlike", "agreement": 0.98, "before": 0.999}]}
    assert words.flags(block, again)[0].endswith("on 98.0% of test rows, and as half-again on 99.9%")
    assert (
        words.flags(block, of(block, "int8"), brief=True)[1]
        == "SLOWER than student: a row 50 us -> 90 us; 1 other time as well"
    )
    flags = [
        {"code": "bigger", "bytes": 90_000, "before": 86_016, "than": "student"},
        {"code": "unproved_loss"},
        {"code": "lost", "sure": False},
        {"code": "above_bytes", "value": 90_000, "most": 20_480},
        {"code": "above_microseconds", "value": 200.0, "most": 50.0},
        {"code": "odd_thing", "times": 5.9},
    ]
    big = stage(5, 0, INT8, "x", bytes=90_000, lost=difference(0.9, 0.4), flags=flags)
    bigger, unproved, unsure, large, slow, odd = words.flags(block, big)
    assert bigger == "BIGGER than student: 84 KB -> 88 KB" and odd == "ODD THING: times 5.9"
    assert unproved == "NOT PROVED to keep the goal of at most 1 point lost: it may lose up to 1.30 points"
    assert unsure == "LOST MORE than the goal, though not for sure: 0.90 points, and at most 1 point may be lost"
    assert (large, slow) == (
        "ABOVE THE GOAL: 88 KB, and 20 KB are asked for",
        "ABOVE THE GOAL: 0.20 ms a row, and 50 us are asked for",
    )
    near = {**big, "flags": [{"code": "bigger", "bytes": 86_020, "before": 86_016, "than": "student"}]}
    assert words.flags(block, near) == ["BIGGER than student: 86,016 -> 86,020 bytes"]
    alone = {**big, "lost": difference(0.9, None, n=1)}
    assert "one seed has no interval" in words.flags(block, alone)[1]


@pytest.mark.parametrize(
    ("mean", "half", "word"),
    [
        (0.42, 0.2, "The teacher helped: 0.42 points better"),
        (-0.42, 0.2, "The teacher hurt: 0.42 points worse"),
        (0.1, 0.2, "Whether the teacher helped is not clear: 0.10 points better"),
        (0.1, None, "Whether the teacher helped is not clear"),
    ],
)
def test_what_the_teacher_gave_to_learning_again(mean, half, word):
    block = compressed()
    said = words.again(block, {**block["stages"][2], "again": difference(mean, half, 3 if half else 1)})
    assert said.startswith(word)
    assert words.again(block, block["stages"][1]) is None


def test_a_gain_is_no_loss_and_errors_are_told_in_percent():
    block = compressed()
    assert words.lost(block, {"lost": difference(-0.3)}).startswith("0.30 points gained (95 %: +0.10 to +0.50;")
    block["metric"] = {**block["metric"], "unit": "target", "better": "lower", "relative": True}
    assert words.lost(block, {"lost": difference(0.3)}).startswith("0.30 % lost")
    assert words.goals(block) == "at most 1 % lost"


def test_a_box_has_room_for_the_bounds_alone():
    block = compressed()
    assert words.lost_briefly(block, {"lost": difference(0.06, 0.16)}) == "0.06 points lost [-0.10, +0.22]"
    assert words.lost_briefly(block, {"lost": difference(-0.3)}) == "0.30 points gained [+0.10, +0.50]"
    assert words.lost_briefly(block, {"lost": difference(0.3, None, n=1)}) == "0.30 points lost"


def test_an_interval_tells_two_digits_of_its_half_and_why_there_is_none():
    assert words.digits(difference(1.0, 0.2)) == ".2f" and words.digits(difference(1.0, 2.0)) == ".1f"
    assert words.digits(difference(1.0, 0.012)) == ".3f"
    assert words.interval(difference(0.1, 0.2)) == "95 %: -0.10 to +0.30; seeds +-0.12, rows +-0.16"
    assert words.interval(difference(0.1, None, n=1)) == "1 seed, no interval; rows +-0.20"


def test_layers_are_told_by_the_most_and_the_least_that_is_lost():
    block = compressed()
    said = words.sensitivity(block)
    assert "head by 50% loses 2.25 points, body.2 by 50% 0.10 points" in said
    assert words.sensitivity(compressed(sensitivity=[])) is None
    one = [{**block["sensitivity"][0], "share": None, "precision": "int8"}]
    assert words.sensitivity(compressed(sensitivity=one)).endswith("body.0 as int8 loses 0.80 points.")


def test_a_terminal_reads_every_stage_and_other_runs_nothing():
    known = [
        {"code": "alone", "values": {}},
        {"code": "step", "values": {"step": "distill", "reason": "has no weights."}},
    ]
    block = compressed(known=known)
    said = "\n".join(told.lines({"compressed": block}))
    assert told.lines({}) == []
    for one in block["stages"][1:]:
        assert f"  {one['name']}: " in said and words.lost(block, one) in said
    assert "is not for this student: it has no weights." in said and "trained without a teacher" in said
    assert "The teacher helped" in said and "SLOWER than student" in said
    assert "answers as the student as it was on 99.5% of test rows" in said


def test_steps_are_named_with_the_setting_that_tells_them_apart():
    assert words.step(HALF).endswith("share 0.5") and "," not in words.step(AGAIN)
    assert words.step({"name": "nobody_knows", "settings": {}}) == "nobody knows"


def test_nothing_lost_has_no_sign_and_small_losses_of_layers_show_two_digits():
    block = compressed()
    assert words.lost_briefly(block, {"lost": difference(-0.0, 0.33)}).startswith("0.00 points lost")
    one = [{**block["sensitivity"][0], "lost": lost} for lost in (0.0165, 0.0031)]
    assert "loses 0.017 points" in words.sensitivity(compressed(sensitivity=one))
    assert words.layer_digits([{"lost": 0.0}]) == ".2f" and words.layer_digits([{"lost": -0.03}]) == ".3f"
    assert words.layer_digits([{"lost": 24.0}]) == ".2f"
