"""Cells against their baselines and the best cell: signs, ties, one seed, stopped and diverged trainings."""

from __future__ import annotations

import pytest

from kd_core.runs.cells.cell_scores import Judge, Score, behind, best, describe, gather, in_order
from kd_core.runs.cells.grid import Cell

HIGHER, LOWER = Judge("higher", 0.01, False), Judge("lower", 0.01, True)
SEEDS = (0, 1, 2)


def cell(index=0):
    return Cell(index, 0, 2.0, 0.5, 0.002, 0.0001, 0.0)


def scores(own, alone=(0.8, 0.8, 0.8), index=0):
    def made(value):
        return value if isinstance(value, Score) or value is None else Score(value)

    return gather(cell(index), SEEDS, [made(v) for v in own], [made(v) for v in alone])


def test_gain_mean_and_word_where_more_is_better():
    found = describe(scores((0.90, 0.91, 0.92)), HIGHER)
    assert found["mean"] == pytest.approx(0.91) and found["gain"]["mean"] == pytest.approx(0.11)
    low, high = found["gain"]["ci95"]
    assert low < 0.11 < high and low == pytest.approx(0.11 - 4.302653 * 0.01 / 3**0.5, abs=1e-6)
    assert (found["word"], found["gain"]["n"], found["seeds"]) == ("beats", 3, [0, 1, 2])


def test_errors_gain_when_they_fall():
    found = describe(scores((4.0, 4.1, 4.2), (5.0, 5.1, 5.2)), LOWER)
    assert found["gain"]["mean"] == pytest.approx(1.0) and found["word"] == "beats"
    assert describe(scores((5.0, 5.1, 5.2), (4.0, 4.1, 4.2)), LOWER)["word"] == "hurts"
    better, worse = scores((4.0, 4.1, 4.2), (5, 5, 5), 0), scores((4.5, 4.6, 4.7), (5, 5, 5), 1)
    assert best([worse, better], "lower") == 0 and best([worse, better], "higher") == 1
    assert behind(worse, better, LOWER)["behind"]["mean"] == pytest.approx(0.5)
    assert not behind(worse, better, LOWER)["like_best"]


def test_cells_whose_difference_reaches_zero_are_like_the_best():
    winner, near, far = (
        scores((0.9, 0.92, 0.94), index=0),
        scores((0.91, 0.9, 0.92), index=1),
        scores((0.5, 0.52, 0.54), index=2),
    )
    assert behind(winner, winner, HIGHER) == {"behind": None, "like_best": True}
    close = behind(near, winner, HIGHER)
    assert close["like_best"] and close["behind"]["ci95"][0] < 0 < close["behind"]["mean"]
    assert not behind(far, winner, HIGHER)["like_best"]
    same = behind(scores((0.9, 0.92, 0.94), index=3), winner, HIGHER)
    assert same["like_best"] and same["behind"] == {"mean": 0.0, "ci95": [0.0, 0.0]}


def test_with_one_seed_the_margin_decides():
    winner = gather(cell(0), (0,), [Score(0.9)], [Score(0.8)])
    inside, outside = (gather(cell(i), (0,), [Score(v)], [Score(0.8)]) for i, v in ((1, 0.895), (2, 0.88)))
    assert behind(inside, winner, HIGHER) == {
        "behind": {"mean": pytest.approx(0.005), "ci95": [None, None]},
        "like_best": True,
    }
    assert not behind(outside, winner, HIGHER)["like_best"]
    assert describe(winner, HIGHER)["word"] == "inconclusive"


def test_finished_pairs_go_before_stopped_ones():
    part = scores((0.9, Score(0.95, stopped=True), None))
    assert (part.seeds, part.stopped) == ((0,), False)
    all_stopped = scores((Score(0.9, stopped=True), None, None))
    assert (all_stopped.seeds, all_stopped.stopped) == ((0,), True)
    assert describe(all_stopped, HIGHER)["word"] == "inconclusive"
    baseline_stopped = scores((0.9, None, None), (Score(0.8, stopped=True), None, None))
    assert baseline_stopped.stopped and baseline_stopped.paired == ([0.9], [0.8])


def test_a_cell_that_lost_seeds_does_not_win_by_it():
    lucky = scores((0.99, Score(None, diverged=True), Score(0.1, diverged=True)), index=0)
    whole = scores((0.9, 0.9, 0.9), index=1)
    cut = scores((Score(0.99, stopped=True),) * 3, index=2)
    fewer = scores((0.99, 0.99, None), index=3)
    assert lucky.diverged == 2 and lucky.seeds == (0,)
    assert best([lucky, whole, cut, fewer], "higher") == 1
    assert best([lucky, cut], "higher") == 2


def test_a_cell_without_a_baseline_keeps_its_scores_but_no_gain():
    alone = scores((0.9, 0.9, 0.9), (Score(None, diverged=True), None, Score(0.5, diverged=True)))
    found = describe(alone, HIGHER)
    assert found["mean"] == pytest.approx(0.9) and found["baseline"] == [None, None, None]
    assert found["gain"] == {"mean": None, "ci95": [None, None], "n": 0} and found["word"] == "inconclusive"
    assert best([alone], "higher") is None
    nothing = scores((None, Score(None, diverged=True), None))
    assert describe(nothing, HIGHER)["mean"] is None and nothing.diverged == 1
    assert behind(nothing, scores((0.9, 0.9, 0.9), index=1), HIGHER) == {"behind": None, "like_best": False}


def test_of_equal_cells_the_first_is_chosen():
    assert best([scores((0.9, 0.9, 0.9), index=i) for i in (2, 0, 1)], "higher") == 0


def test_seeds_are_ordered_by_their_score_the_first_of_equal_ones_first():
    assert in_order([0.7, 0.9, 0.8, 0.9], "higher") == [1, 3, 2, 0]
    assert in_order([0.7, 0.9, 0.7], "lower") == [0, 2, 1]
    assert in_order([None, 0.1, 0.0], "higher") == [1, 2, 0] and in_order([None, 5.0], "lower") == [1, 0]
