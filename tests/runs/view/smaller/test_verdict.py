"""The verdict and its word: every number of a sentence is one of the result, and a word is the same wherever it stands."""

import re

import pytest

from kd_core.runs.view import compress_words as words
from kd_core.runs.view.smaller import told, verdict
from tests.runs.view.compressed_block import HALF, INT8, compressed, difference, stage


def numbers(text):
    return [float(n) for n in re.findall(r"(?<![\w.])[+-]?\d+(?:\.\d+)?", text.replace("+-", ""))]


def test_the_verdict_names_the_stage_with_the_bytes_and_the_points_of_the_result():
    block = compressed()
    best, whole = block["stages"][3], block["stages"][0]
    said = verdict.line(block)
    assert said.startswith("SMALLEST WITHIN THE GOALS (at most 1 point lost): half-again-int8, ")
    low, high = best["lost"]["ci95"]
    expected = [1, best["bytes"] / 1024, whole["bytes"] / best["bytes"], whole["bytes"] / 1024, 0.06, 95, low, high]
    assert numbers(said)[:8] == pytest.approx(expected, abs=0.005)
    assert numbers(said)[8:] == pytest.approx([best["lost"]["seeds_half"], best["lost"]["rows_half"]], abs=0.0051)


def test_a_stage_that_keeps_its_goals_on_validation_only_is_not_called_the_smallest():
    block = compressed(goals={"most_lost": 0.1, "bytes": 10_000, "microseconds": 20.0})
    block["stages"][3] = {**block["stages"][3], "passes": False}
    said = verdict.line(block)
    assert said.startswith("NOT KEPT: half-again-int8") and "at most 9.8 KB, at most 20 us a row" in said
    assert "reaches beyond 0.1 points" in said
    assert "14 KB, 4.2 KB more than 9.8 KB" in said and "30 us a row, 10 us more than 20 us" in said
    block["stages"][3]["lost"] = difference(0.4)
    assert "0.40 points lost (95 %: +0.20 to +0.60" in verdict.line(block) and "beyond" not in verdict.line(block)


def test_without_a_stage_that_keeps_the_goals_the_student_stays():
    assert verdict.line(compressed(best=None)).startswith("NOTHING SMALLER keeps the goals (at most 1 point lost)")
    assert verdict.line(compressed(best=None)).endswith("keep the student as it was, 84 KB.")


def test_with_one_seed_nothing_is_proved_and_nothing_is_said_to_lose_too_much():
    block = compressed(best=None)
    block["stages"] = [
        one if one["lost"] is None else {**one, "lost": {**one["lost"], "ci95": [None, None]}}
        for one in block["stages"]
    ]
    said = verdict.line(block)
    assert said.startswith("NOTHING PROVED: with one seed") and "84 KB" in said and "3 seeds" in said
    small = {**block, "goals": {**block["goals"], "bytes": 80 * 1024}}
    assert "the student as it was breaks the goals as well: 84 KB, 4 KB more than 80 KB" in verdict.line(small)
    assert "keep the student" not in verdict.line(small)
    block["stages"][1]["lost"] = {**block["stages"][1]["lost"], "ci95": [1.0, 2.0]}
    assert verdict.line(block).startswith("NOTHING SMALLER")


def test_smaller_stages_that_were_not_chosen_are_told_with_the_reason():
    block = compressed()
    best, *others = sorted(words.made(block), key=lambda one: one["bytes"], reverse=True)
    block = {**block, "best": best["id"]}
    for one in others:
        one.update(passes=False, lost=difference(0.9, 0.4))
    assert verdict.unchosen(block) == []
    others[0].update(passes=True, lost=difference(0.1), bytes=best["bytes"] - 1)
    assert verdict.unchosen(block)[0].startswith(f"{others[0]['name']} is smaller and keeps the goals on test rows")
    assert verdict.unchosen(block)[0] in told.lines({"compressed": block})
    others[1].update(passes=True, bytes=best["bytes"] - 2)
    assert f"{others[0]['name']} and {others[1]['name']} are smaller and keep" in verdict.unchosen(block)[0]
    others[0].update(bytes=best["bytes"])
    assert verdict.unchosen(block)[0].startswith(others[1]["name"])
    block = {**block, "best": None}
    for one in (best, others[0]):
        one.update(passes=False, lost=difference(0.9, 0.4))
    others[1].update(bytes=words.student(block)["bytes"])
    assert verdict.unchosen(block) == []


def test_a_word_is_decided_by_the_goals_that_were_set_and_no_other():
    block = compressed()
    int8 = block["stages"][4]

    def word(**more):
        return verdict.standing(block, {**int8, "passes": False, **more})

    assert (
        word(agreement=0.5, agreement_before=0.5) == "kept"
    )  # as older versions judged: nobody asked for the same answers
    assert verdict.warning(block, {**int8, "passes": False}) is None
    assert word(lost=difference(0.9, 0.4)) == word(lost=difference(1.1, 0.4)) == "unproved"
    assert word(lost=difference(0.9, None, 1)) == "unproved" and word(lost=difference(1.5, 0.4)) == "missed"
    block["goals"] = {"most_lost": 1.0, "bytes": 20_480, "microseconds": None}
    assert word() == "missed" and word(bytes=None) == "unproved"
    said = verdict.warning(block, {**int8, "passes": False})
    assert said == "NOT KEPT (at most 1 point lost, at most 20 KB): 22 KB, 2 KB more than 20 KB"
    block["goals"] = {"most_lost": 1.0, "bytes": None, "microseconds": 50.0}
    assert word(latency={}) == "unproved" and word() == "missed"
    block = compressed()
    block["stages"][3] |= {"passes": False, "lost": difference(0.9, 0.4)}
    said = verdict.line(block)
    assert said.startswith("NOT PROVED: half-again-int8") and "it does not for sure: 0.90 points lost" in said


def near(goal, *stages):
    """A result under a goal of bytes that nothing keeps, on validation rows."""
    block = compressed(best=None, goals={"most_lost": 1.0, "bytes": goal, "microseconds": None})
    return {**block, "stages": [block["stages"][0], *stages], "chains": [[one["id"]] for one in stages]}


def test_a_goal_that_the_student_breaks_as_well_is_no_reason_to_keep_the_student():
    fp16 = stage(1, 0, INT8, "fp16", bytes=72_704, lost=difference(0.0, 0.11), passes=False)
    half = stage(2, 0, HALF, "half", bytes=40_960, lost=difference(2.5, 0.2), passes=False)
    block = near(61_440, fp16, half)
    said = verdict.line(block)
    assert said.startswith("NOTHING keeps the goals (at most 1 point lost, at most 60 KB) on validation rows")
    assert said.endswith("and the student as it was breaks them as well: 84 KB, 24 KB more than 60 KB.")
    expected = "Nearest to the goals: fp16, 0.00 points lost [-0.11, +0.11]; it misses: 71 KB, 11 KB more than 60 KB."
    assert verdict.nearest(block) == [expected] and expected in told.lines({"compressed": block})
    (far,) = verdict.nearest(near(20_480, fp16, half))
    assert far.startswith("Nearest to the goals: half, 40 KB; it misses: 2.50 points lost") and "20 KB more" in far


def test_nothing_comes_nearest_where_a_stage_is_to_be_taken_or_keeps_the_goals_on_test_rows():
    assert verdict.nearest(compressed()) == []
    assert verdict.nearest(near(None, stage(1, 0, INT8, "int8", bytes=20_000))) == []  # that one is told by `unchosen`
    assert verdict.nearest(near(None)) == []


def test_a_stage_that_is_hardly_smaller_nor_faster_is_not_to_be_taken():
    block = compressed()
    whole, best = block["stages"][0], block["stages"][3]
    block["stages"][3] = one = {**best, "bytes": int(whole["bytes"] / 1.04), "latency": whole["latency"]}
    assert not verdict.gains(block, one)
    said = verdict.line(block)
    assert said.startswith("NOTHING GAINED: half-again-int8") and said.endswith(
        "the student as it was, 84 KB: keep that."
    )
    fast = {**one, "latency": best["latency"]}
    assert verdict.gains(block, fast) and verdict.gains(block, {**one, "bytes": int(whole["bytes"] / 1.06)})
    block["stages"][3] = fast
    assert "(hardly smaller than 84 KB)" in verdict.line(block)
    limited = {**block, "goals": {**block["goals"], "bytes": int(whole["bytes"] / 1.02)}}  # which the student breaks
    assert verdict.gains(limited, one)
