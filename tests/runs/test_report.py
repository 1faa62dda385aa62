"""The sentences about the chosen cells of a what-if."""

from __future__ import annotations

from kd_core.runs.report import choice_line, setting, verdict_lines
from tests.runs.results import SQUARE, cell, result, student


def test_the_choice_is_said_with_its_odds():
    lines = verdict_lines(result(SQUARE, [student("tiny", 3)], 3))
    assert lines[0] == (
        "Best of 4 cells on validation: T 4, alpha 0.75; on the test rows +0.90 points accuracy against its baseline "
        "(95 % +0.20 to +1.60)."
    )
    assert lines[1] == "None of the other 3 cells can be told apart from it on validation."
    assert lines[2].startswith("BEATS: the tiny student gains +0.90 points of accuracy")


def test_a_baseline_that_was_best_and_what_is_missing_are_said():
    cells = [
        cell(0, 1.0, 0.0, 0.0, like_best=True), cell(1, 1.0, 0.75, -0.1, diverged=2, stopped=True), cell(2, 4.0, 0.75, None, diverged=1),
    ]  # fmt: skip
    lines = verdict_lines(result(cells, [student("tiny", 0)], 0))
    assert (
        lines[0] == "Best of 2 cells on validation: T 1, alpha 0, the baseline itself; no share of the teacher helped."
    )
    assert lines[1:5] == [
        "No other cell is like it on validation.",
        "1 of 3 cells have no usable pair of student and baseline.",
        "1 cell was stopped before its end and shows its best so far.",
        "3 trainings diverged.",
    ]


def test_units_of_the_target_and_one_seed():
    found = result(SQUARE, [student("tiny", 3, 0.00123, None, None), student("base", 3)], 3, "target")
    line = choice_line(found, found["students"][0])
    assert line.startswith("Best of 4 cells of tiny on validation: T 4, alpha 0.75; on the test rows +0.00123 accuracy")
    assert "(one seed, no interval)" in line


def test_a_setting_names_what_was_varied():
    axes = {"temperature": [], "alpha": [0.5], "learning_rate": [0.1, 0.2], "weight_decay": [0.0], "dropout": []}
    assert setting(cell(0, None, 0.5, 0.0, rate=0.1), axes) == "alpha 0.5, learning rate 0.1"


def test_with_one_seed_the_margin_is_named():
    cells = [{**c, "scores": [0.8]} for c in SQUARE]
    (line,) = [x for x in verdict_lines(result(cells, [student("tiny", 3)], 3)) if "on validation (" in x]
    assert line.endswith("on validation (one seed: within the margin of the metric).")
