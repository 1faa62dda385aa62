"""The result of a what-if in plain text: the heat map and the sentences about the chosen cells."""

from __future__ import annotations

from kd_core.runs.heat_map import heat_map
from kd_core.runs.report import choice_line, setting, verdict_lines


def cell(index, temperature, alpha, gain, student="tiny", rate=0.002, **more):
    return {
        "cell": index, "student": student, "temperature": temperature, "alpha": alpha, "learning_rate": rate,
        "weight_decay": 0.0, "dropout": None, "gain": {"mean": gain, "ci95": [None, None], "n": 3 if gain is not None else 0},
        "stopped": False, "scores": [0.8, 0.9, 0.8], "like_best": False, "diverged": 0, **more,
    }  # fmt: skip


def student(name, index, mean=0.009, low=0.002, high=0.016):
    both = {"accuracy": {"mean": 0.8, "std": 0.1, "values": [0.8]}}
    return {
        "name": name, "cell": index, "gain": {"accuracy": {"mean": mean, "ci95": [low, high], "n": 3}}, "metrics": both,
        "baseline": {"metrics": both}, "gap_closed": {}, "verdict": "beats", "parameters": 66, "size_bytes": 512,
    }  # fmt: skip


def result(cells, students, best, unit="share", **axes):
    several = {"temperature": [1.0, 4.0], "alpha": [0.0, 0.75], "learning_rate": [0.002], "weight_decay": [0.0], "dropout": []}  # fmt: skip
    return {
        "metric": {"name": "accuracy", "title": "accuracy", "unit": unit, "better": "higher" if unit == "share" else "lower"},
        "teacher": {"metrics": {"accuracy": 0.9}, "size_bytes": 10_240}, "students": students,
        "sweep": {"axes": {**several, **axes}, "cells": cells, "best": best, "cells_asked": len(cells),
                  "cells_compared": sum(c["gain"]["mean"] is not None for c in cells)},
    }  # fmt: skip


SQUARE = [
    cell(0, 1.0, 0.0, 0.0, like_best=True), cell(1, 1.0, 0.75, 0.0123, like_best=True),
    cell(2, 4.0, 0.0, 0.0, like_best=True), cell(3, 4.0, 0.75, 0.0311, like_best=True),
]  # fmt: skip


def test_the_map_is_aligned_and_marks_the_best_and_its_like():
    lines = heat_map(result(SQUARE, [student("tiny", 3)], 3))
    assert lines[:4] == [
        "tiny: gain on validation in points of accuracy",
        "  alpha    T 1     T 4 ",
        "      0  +0.00*  +0.00*",
        "   0.75  +1.23*  +3.11#",
    ]


def test_cells_that_lack_something_are_marked():
    cells = [cell(0, 1.0, 0.0, None), cell(1, 1.0, 0.75, -0.0123, stopped=True, like_best=True), cell(2, 4.0, 0.0, 0.0)]
    lines = heat_map(result(cells, [student("tiny", 2)], 2))
    assert lines[2].split() == ["0", "-", "+0.00#"] and lines[3].split() == ["0.75", "-1.23~", "-"]


def test_one_table_per_student_and_further_setting():
    cells = [cell(i, t, a, 0.0, s, r) for i, (s, t, a, r) in enumerate(
        (s, t, a, r) for s in ("tiny", "base") for t in (1.0, 4.0) for a in (0.0, 0.75) for r in (0.001, 0.002))]  # fmt: skip
    heads = [line for line in heat_map(result(cells, [student("tiny", 0)], 0, learning_rate=[0.001, 0.002])) if "gain" in line]  # fmt: skip
    assert [h.split(":")[0] for h in heads] == [
        "tiny, learning rate 0.001", "tiny, learning rate 0.002", "base, learning rate 0.001", "base, learning rate 0.002",
    ]  # fmt: skip


def test_a_loss_without_temperature_is_drawn_with_what_varies():
    cells = [cell(i, None, a, g, rate=r) for i, (a, g, r) in enumerate([(0.0, 0.0, 0.1), (0.0, 0.0, 0.2), (0.5, 1.5, 0.1), (0.5, -2.25, 0.2)])]  # fmt: skip
    found = heat_map(result(cells, [student("tiny", 2)], 2, "target", temperature=[], alpha=[0.0, 0.5], learning_rate=[0.1, 0.2]))  # fmt: skip
    assert found[0] == "tiny: gain on validation in accuracy"
    assert found[1].split() == ["learning", "rate", "alpha", "0", "alpha", "0.5"]
    assert found[2].split() == ["0.1", "+0.0000", "+1.5000#"] and len({len(line) for line in found[1:4]}) == 1


def test_the_choice_is_said_with_its_odds():
    lines = verdict_lines(result(SQUARE, [student("tiny", 3)], 3))
    assert lines[0] == (
        "Best of 4 cells on validation: T 4, alpha 0.75; on the test rows +0.90 points accuracy against its baseline "
        "(95 % +0.20 to +1.60)."
    )
    assert lines[1] == "3 of the other 3 cells can't be told apart from it on validation."
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
